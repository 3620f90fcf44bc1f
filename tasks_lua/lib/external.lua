-- lib.external: programs of others, run by task:exec: arguments with places to fill in, files that come back.
local external = {}

external.settings = {
  arguments = { {}, "of the program: texts; {seed}, {threads}, and {KIND} for the path of an input are filled in" },
  files     = { {}, "what the program makes in its folder: kind of output = name" },
}

local function fill(task, text, number)
  return (tostring(text):gsub("{([%w_]+)}", function(name)
    if name == "seed" then return ("%.0f"):format(task.seed) end
    if name == "threads" then return tostring(task.threads) end
    if not task.inputs[name] then
      error(("argument %d: {%s} is neither seed, threads, nor an input of the job entry"):format(number, name), 0)
    end
    return task:input_path(name)
  end))
end

-- The command line of a program with these arguments.
function external.command(task, program, arguments)
  local command = { program }
  for i, argument in ipairs(arguments) do command[i + 1] = fill(task, argument, i) end
  return command
end

-- Runs a command; raises unless it ends with 0, with the last thing it said. Returns its standard output.
function external.run(task, command)
  local status, text = task:exec(command)
  if status == 0 then return text end
  local name, last = command[1]:match "[^/]*$", text:match "([^\n]+)%s*$"
  local how = status > 128 and ("was ended by signal %d"):format(status - 128) or ("ended with status %d"):format(status)
  error(("%s %s%s"):format(name, how, last and ": " .. last or "; what it said is in the log"), 0)
end

-- Hands over what the program made: files (kind = name) of those outputs that the job entry declares.
function external.hand_over(task, files)
  for kind, name in pairs(files) do
    if task:wants(kind) then task:output(kind, name) end
  end
end

return external
