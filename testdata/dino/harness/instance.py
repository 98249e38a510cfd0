"""One Dino with all it needs below one directory, and the processes that belong to it."""
import hashlib
import json
import os
import sqlite3
import subprocess
import tempfile
import time

ROOT = os.environ.get("DINO_HARNESS_DIR") or os.path.join(tempfile.gettempdir(), "dino-harness")
MARK = "DINO_HARNESS_INSTANCE"
SOURCES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("DINO_HARNESS_BUILD") or os.path.join(SOURCES, "build")


class Failure(Exception):
    """What a person should read; dinoctl prints it and exits 1."""


def fail(msg):
    raise Failure(msg)


def wait_for(fn, timeout, what, step=0.1):
    """Poll fn() until it returns something true; fail with `what` otherwise."""
    end = time.monotonic() + timeout
    while True:
        v = fn()
        if v:
            return v
        if time.monotonic() > end:
            fail("timed out after %gs waiting for %s" % (timeout, what))
        time.sleep(step)


def build_dir():
    """Directory for the two compiled helpers, keyed by their sources."""
    h = hashlib.sha256()
    for f in ("dino-shim.c", "fakecam.c"):
        with open(os.path.join(SOURCES, f), "rb") as fh:
            h.update(fh.read())
    d = os.path.join(os.path.abspath(BUILD), h.hexdigest()[:12])
    os.makedirs(os.path.join(d, "gst"), exist_ok=True)
    return d


def compile_c(src, out, extra=()):
    if os.path.exists(out):
        return out
    tmp = "%s.%d" % (out, os.getpid())
    cmd = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", tmp, src, *extra]
    r = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if r.returncode:
        fail("cannot build %s:\n%s" % (os.path.basename(out), r.stdout))
    os.rename(tmp, out)
    return out


def build_shim():
    return compile_c(os.path.join(SOURCES, "dino-shim.c"), os.path.join(build_dir(), "dino-shim.so"), ["-ldl"])


def build_fakecam():
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gstreamer-1.0"],
                           stdout=subprocess.PIPE, text=True)
    if flags.returncode:
        fail("--camera needs the GStreamer headers (libgstreamer1.0-dev, pkg-config)")
    d = os.path.join(build_dir(), "gst")
    compile_c(os.path.join(SOURCES, "fakecam.c"), os.path.join(d, "libgstfakecam.so"), flags.stdout.split())
    return d


class Instance:
    def __init__(self, name):
        self.name = name
        self.dir = os.path.join(os.path.abspath(ROOT), name)

    def path(self, *p):
        return os.path.join(self.dir, *p)

    @property
    def log(self):
        return self.path("dino.err")

    def read(self, f, default=""):
        try:
            with open(self.path(f)) as fh:
                return fh.read().strip()
        except OSError:
            return default

    def write(self, f, text):
        with open(self.path(f), "w") as fh:
            fh.write(str(text))

    def env(self):
        with open(self.path("env.json")) as fh:
            return json.load(fh)

    def use_env(self):
        """Put this instance's bus and PulseAudio into our own environment."""
        if not os.path.exists(self.path("env.json")):
            fail("no instance %r below %s" % (self.name, ROOT))
        for k in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "PULSE_SERVER", "DISPLAY"):
            os.environ[k] = self.env()[k]

    def pids(self):
        """Processes that carry this instance's mark in their environment."""
        want = ("%s=%s" % (MARK, self.dir)).encode()
        out = []
        for p in os.listdir("/proc"):
            if not p.isdigit() or int(p) == os.getpid():
                continue
            try:
                with open("/proc/%s/environ" % p, "rb") as fh:
                    if want in fh.read().split(b"\0"):
                        out.append(int(p))
            except OSError:
                pass
        return out

    def dino_pid(self):
        pid = self.read("dino.pid")
        if pid and int(pid) in self.pids():
            return int(pid)
        return 0

    def spawn(self, what, cmd, env, stdout=None, stderr=None, pass_fds=()):
        out = open(stdout or self.path(what + ".log"), "ab")
        err = open(stderr, "ab") if stderr else subprocess.STDOUT
        p = subprocess.Popen(cmd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                             cwd=self.dir, start_new_session=True, pass_fds=pass_fds)
        self.write(what + ".pid", p.pid)
        return p

    def db(self, sql, args=()):
        f = self.path("data", "dino", "dino.db")
        try:
            c = sqlite3.connect("file:%s?mode=ro" % f, uri=True, timeout=5)
            try:
                return c.execute(sql, args).fetchall()
            finally:
                c.close()
        except sqlite3.Error:
            return []


def seed_profile(inst, jid, password, resource):
    """Create the profile database with the account in it.

    Dino creates every missing table itself and, finding no version entry,
    treats the file as new; so the account table is all that is needed."""
    os.makedirs(inst.path("data", "dino"), exist_ok=True)
    c = sqlite3.connect(inst.path("data", "dino", "dino.db"))
    c.execute("CREATE TABLE account (id INTEGER PRIMARY KEY AUTOINCREMENT, bare_jid TEXT UNIQUE NOT NULL,"
              " resourcepart TEXT, password TEXT, alias TEXT, enabled INTEGER, roster_version TEXT,"
              " mam_earliest_synced INTEGER)")
    c.execute("INSERT INTO account (bare_jid, resourcepart, password, enabled, mam_earliest_synced)"
              " VALUES (?,?,?,1,0)", (jid, resource, password))
    c.commit()
    c.close()
