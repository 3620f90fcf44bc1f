// server.js DIRECTORY CONTROL [KEY CERT]: an S3 server (s3rver) for specs, with faults on demand in front of it. Prints its port.
//
// CONTROL/faults is a list of { method, match, kind, status, times, ms }, read when it changes; each of the next `times`
// requests that fit gets it: "status" (answered so), "stall" (ms later), "cut" (half an answer, then nothing), "flip" (one
// wrong byte on the way). CONTROL/seen gets a line for each request. A PUT on condition over an object is refused with 412,
// as S3 does (s3rver overwrites); signatures are compared with those of aws4 (s3rver believes any). With
// CONTROL/pages there, a listing comes in pages of seven; with CONTROL/unconditional, a PUT on condition is refused with 501, as servers do that do not know it.
"use strict";
const http = require("http"), https = require("https"), fs = require("fs"), path = require("path");
const S3rver = require("s3rver"), aws4 = require("aws4");

const [directory, control, key, cert] = process.argv.slice(2);
const app = new S3rver({ directory, silent: true, vhostBuckets: false, configureBuckets: [{ name: "light" }] });
const serve = app.callback();
let faults = [], text = "";

function find_fault(req) {
  const now = fs.existsSync(control + "/faults") ? fs.readFileSync(control + "/faults", "utf8") : "";
  if (now !== text) {
    text = now;
    faults = JSON.parse(now);
  }
  return faults.find(f => f.times > 0 && (!f.method || f.method === req.method) && req.url.includes(f.match || ""));
}

function refuse(res, status, code) {
  res.writeHead(status, { "Content-Type": "application/xml" });
  res.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>made up</Message></Error>`);
}

// The request as its sender says to have signed it, signed again.
function is_signed(req) {
  const given = req.headers.authorization || "";
  const [, region, names] = given.match(/Credential=S3RVER\/\d+\/([^/]+)\/s3\/aws4_request.*SignedHeaders=([^,]+)/) || [];
  if (!names) return false;
  const headers = {};
  for (const name of names.split(";")) headers[name] = req.headers[name];
  const want = aws4.sign({ service: "s3", region, method: req.method, path: req.url, headers },
                         { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }).headers.Authorization;
  return ["host", "x-amz-date", "x-amz-content-sha256"].every(name => names.split(";").includes(name)) &&
    want.match(/Signature=(\w+)/)[1] === given.match(/Signature=(\w+)/)[1];
}

// s3rver answers a PUT before its file is written.
function answer_when_whole(req, res, file) {
  const end = res.end.bind(res), size = Number(req.headers["content-length"]), t0 = Date.now();
  res.end = (...rest) => {
    const there = res.statusCode !== 200 || Date.now() - t0 > 5000 || (fs.existsSync(file) && fs.statSync(file).size === size);
    return there ? end(...rest) : setTimeout(() => res.end(...rest), 2);
  };
}

function broken(res, kind) {
  const write = res.write.bind(res), end = res.end.bind(res);
  const spoil = piece => {
    if (!piece || !piece.length) return piece;
    const bytes = Buffer.from(piece);
    bytes[0] ^= 1;
    return bytes;
  };
  res.write = (piece, ...rest) => {
    if (kind === "flip") return write(spoil(piece), ...rest);
    write(Buffer.from(piece).subarray(0, piece.length / 2), () => res.destroy());
    return false;
  };
  res.end = (piece, ...rest) => {
    if (kind === "flip") return end(spoil(piece), ...rest);
    if (piece && piece.length) return res.write(piece);
    return end(piece, ...rest);
  };
}

function on_request(req, res) {
  fs.appendFileSync(control + "/seen", `${req.method} ${req.url}\n`);
  if (!is_signed(req)) return req.resume().on("end", () => refuse(res, 403, "SignatureDoesNotMatch"));
  if (fs.existsSync(control + "/pages")) req.url = req.url.replace("max-keys=1000", "max-keys=7");
  const fault = find_fault(req);
  if (fault) {
    fault.times--;
    if (fault.kind === "status") return req.resume().on("end", () => refuse(res, fault.status, fault.code || "SlowDown"));
    if (fault.kind === "stall") return setTimeout(() => serve(req, res), fault.ms);
    broken(res, fault.kind);
  }
  const file = path.join(directory, decodeURIComponent(req.url.split("?")[0])) + "._S3rver_object";
  if (req.method === "PUT" && !req.url.includes("partNumber=")) answer_when_whole(req, res, file);
  if (req.method === "PUT" && req.headers["if-none-match"] === "*") {
    if (fs.existsSync(control + "/unconditional")) return req.resume().on("end", () => refuse(res, 501, "NotImplemented"));
    if (fs.existsSync(file)) return req.resume().on("end", () => refuse(res, 412, "PreconditionFailed"));
  }
  return serve(req, res);
}

app.configureBuckets().then(() => {
  const server = key ? https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, on_request)
                     : http.createServer(on_request);
  server.listen(Number(process.env.PORT || 0), process.env.ADDRESS || "127.0.0.1", () => console.log(server.address().port));
});
process.stdin.on("end", () => process.exit(0)).resume(); // it ends with the spec that started it
