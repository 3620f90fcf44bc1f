#!/usr/bin/env python3
"""cluster_bench.py: null tasks through PostgreSQL and RabbitMQ on one machine, against the embedded engine and Celery, in turns.

    python3 bench/cluster_bench.py [BUILD [NULLS [ROUNDS]]]     BUILD: a release build (default build/release)

Each round: `eas run` on SQLite; submit, control and worker on PostgreSQL with sql:, then with amqp://; Celery (if python3-celery
is there) on the same broker, prefork, as many workers as slots. Both servers run privately on the same CPUs, durable as
installed (fsync on). A rate is taken between the first start and the last end. CPU seconds say who took what."""
import os, re, shutil, statistics, subprocess, sys, tempfile, time

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release")
NULLS = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
SLOTS = 4
eas = os.path.join(build, "bin/eas")
broker_sh = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../spec/backends/broker.sh")
TICK = os.sysconf("SC_CLK_TCK")


def sh(*args, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, **more).stdout


# --- the servers ---

def newest_bin():
    versions = sorted(os.listdir("/usr/lib/postgresql"), key=float)
    return "/usr/lib/postgresql/%s/bin" % versions[-1]


def as_other():
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] if os.geteuid() == 0 else []


class Postgres:
    def __init__(self, folder):
        self.dir, self.bin = folder + "/pg", newest_bin()
        os.mkdir(self.dir)
        os.chmod(folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.dir, "nobody")
        sh(*as_other(), self.bin + "/initdb", "-D", self.dir + "/data", "-U", "eas", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = "-k %s -c listen_addresses= -c shared_buffers=128MB" % self.dir
        sh(*as_other(), self.bin + "/pg_ctl", "-D", self.dir + "/data", "-w", "-l", self.dir + "/log", "-o", options, "start")

    def fresh(self, name):
        sh(self.bin + "/createdb", "-h", self.dir, "-U", "eas", name)
        return "postgresql://eas@/%s?host=%s" % (name, self.dir)

    def ask(self, name, sql):
        return sh(self.bin + "/psql", "-h", self.dir, "-U", "eas", "-Atc", sql, name).strip().split("|")

    def pids(self):
        first = int(open(self.dir + "/data/postmaster.pid").readline())
        return [first] + children(first)

    def stop(self):
        sh(*as_other(), self.bin + "/pg_ctl", "-D", self.dir + "/data", "-m", "immediate", "stop")


def children(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        for word in open("/proc/%d/task/%s/children" % (pid, task)).read().split():
            found += [int(word)] + children(int(word))
    return found


# CPU seconds of processes and of the children they waited for.
def cpu(pids):
    total = 0
    for pid in pids:
        try:
            total += sum(int(x) for x in open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[11:15])
        except FileNotFoundError:
            pass
    return total / TICK


# --- one run of each kind ---

RATE = ("SELECT count(*), min(a.started_at), max(a.ended_at) FROM attempt a JOIN task_type y ON y.id = a.type"
        " WHERE y.name = 'null' AND a.state = 'ended'")


def rate(row):
    n, first, last = (int(x) for x in row)
    assert n == NULLS, n
    return n / ((last - first) / 1e6)


def job(folder):
    path = folder + "/nulls.json"
    with open(path, "w") as f:
        f.write('{"job_name": "nulls", "task_list": [{"task": "execution_for_loop", "parameter": "i", "linear_range": [1, %d, %d],'
                ' "task_list": [{"task": "null", "duration": 0}]}]}' % (NULLS, NULLS))
    return path


def embedded(folder, r):
    import sqlite3
    data = "%s/run%d" % (folder, r)
    sh(eas, "run", job(folder), "--data", data, "--slots", SLOTS, "--quiet")
    db = sqlite3.connect("file:%s/eas.db?mode=ro" % data, uri=True)
    return rate(db.execute(RATE).fetchone())


def cluster(folder, r, pg, broker, queue):
    name = "%s%d" % ("amqp" if "amqp" in queue else "sql", r)
    url = pg.fresh(name)
    env = dict(os.environ, EAS_DATABASE=url, EAS_QUEUE=queue, EAS_DATA="%s/%s" % (folder, name), EAS_LOG_LEVEL="warn")
    sh(eas, "init", env=env)
    roles = [subprocess.Popen([eas] + words, env=env, stdin=subprocess.DEVNULL)
             for words in (["control"], ["worker", "--slots", str(SLOTS)])]
    try:
        time.sleep(1)
        before = cpu(pg.pids()), cpu([broker]), cpu([roles[0].pid]), cpu([roles[1].pid] + children(roles[1].pid))
        sh(eas, "submit", job(folder), env=env)
        give_up = time.time() + 300
        while pg.ask(name, "SELECT count(*) FROM job WHERE done_at IS NOT NULL") != ["1"]:
            assert time.time() < give_up, "the job is not done after 300 s"
            time.sleep(0.2)
        after = cpu(pg.pids()), cpu([broker]), cpu([roles[0].pid]), cpu([roles[1].pid] + children(roles[1].pid))
    finally:
        for p in roles:
            p.terminate()
        for p in roles:
            p.wait()
    return rate(pg.ask(name, RATE)), [(b - a) * 1e3 / NULLS for a, b in zip(before, after)]


CELERY = """
import celery
app = celery.Celery("nulls", broker=%r)
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=2, task_acks_late=True)
@app.task
def null(): pass
"""


# From the first message to an empty queue that nobody holds a message of: what a queue asked tells.
def celery(folder, url):
    import importlib, amqp
    with open(folder + "/nulls.py", "w") as f:
        f.write(CELERY % (url.split("?")[0] + "//"))
    env = dict(os.environ, PYTHONPATH=folder, C_FORCE_ROOT="1")
    sys.path.insert(0, folder)
    nulls = importlib.import_module("nulls")
    for _ in range(NULLS):
        nulls.null.delay()
    host = re.search(r"@([^/]+)", url).group(1)
    with amqp.Connection(host=host, userid="guest", password="guest") as c:
        channel = c.channel()
        worker = subprocess.Popen([sys.executable, "-m", "celery", "-A", "nulls", "worker", "-c", str(SLOTS), "-l", "error", "-P", "prefork"],
                                  env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            first, waits = None, NULLS
            while waits > 0:
                waits = channel.queue_declare("celery", passive=True).message_count
                if first is None and waits < NULLS:
                    first, at_first = time.time(), waits
                time.sleep(0.005)
            return at_first / (time.time() - first)  # the last 2 * SLOTS are held, not done: in Celery's favour
        finally:
            worker.terminate()
            worker.wait()


def has_celery():
    try:
        import celery as _, amqp as _
        return True
    except ImportError:
        print("Celery is not here (python3-celery): left out")
        return False


def main():
    folder = tempfile.mkdtemp(prefix="eas-cluster-bench-")
    print("load average before: %.1f; %d CPUs; %d null tasks, %d slots, %d rounds" % (os.getloadavg()[0], os.cpu_count(), NULLS, SLOTS, ROUNDS))
    pg = Postgres(folder)
    try:
        url = sh(broker_sh, "start", folder + "/broker").strip()
        broker = int(open(folder + "/broker/pid").read())
        got = {"run": [], "sql": [], "amqp": [], "celery": []}
        shares = []
        with_celery = has_celery()
        for r in range(ROUNDS):
            got["run"].append(embedded(folder, r))
            got["sql"].append(cluster(folder, r, pg, broker, "sql:")[0])
            one, share = cluster(folder, r, pg, broker, "%s?prefix=r%d." % (url, r))
            got["amqp"].append(one)
            shares.append(share)
            if with_celery:
                got["celery"].append(celery(folder, url))
        for name, what in (("run", "eas run, SQLite"), ("sql", "PostgreSQL, sql:"), ("amqp", "PostgreSQL, RabbitMQ"), ("celery", "Celery, RabbitMQ")):
            if got[name]:
                print("%-24s %8.0f /s   (rounds: %s)" % (what, statistics.median(got[name]), " ".join("%.0f" % x for x in got[name])))
        print("against the embedded rate   %8.2f     at least 0.50" % statistics.median(a / b for a, b in zip(got["amqp"], got["run"])))
        if got["celery"]:
            print("against Celery              %8.2f     at least 0.50" % statistics.median(a / b for a, b in zip(got["amqp"], got["celery"])))
        for i, who in enumerate(("PostgreSQL", "RabbitMQ", "control", "worker, zygote and children")):
            print("CPU of a task: %-28s %6.2f ms" % (who, statistics.median(s[i] for s in shares)))
    finally:
        pg.stop()
        subprocess.run([broker_sh, "stop", folder + "/broker"])
        shutil.rmtree(folder, ignore_errors=True)


main()
