"""Start and end an instance: X server, D-Bus, PulseAudio, notification daemon, Dino itself."""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

from .instance import (MARK, ROOT, SOURCES, Failure, Instance, build_dir, build_fakecam, build_shim, fail, seed_profile,
                       wait_for)
from .widgets import A11y, app_action
from .xmpplog import is_online, log_text


def start_xvfb(inst, env, screen):
    r, w = os.pipe()
    p = inst.spawn("xvfb", ["Xvfb", "-displayfd", str(w), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"],
                   env, pass_fds=(w,))
    os.close(w)
    with os.fdopen(r) as fh:
        num = fh.readline().strip()
    if not num:
        fail("Xvfb did not start (see %s)" % inst.path("xvfb.log"))
    return ":" + num


def start_bus(inst, env):
    r, w = os.pipe()
    inst.spawn("dbus", ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=%d" % w,
                        "--address=unix:path=%s" % inst.path("run", "bus")], env, pass_fds=(w,))
    os.close(w)
    with os.fdopen(r) as fh:
        addr = fh.readline().strip()
    if not addr:
        fail("dbus-daemon did not start (see %s)" % inst.path("dbus.log"))
    return addr


def start_pulse(inst, env, tone):
    sock = inst.path("run", "pulse.sock")
    mods = ["module-native-protocol-unix socket=%s auth-anonymous=1" % sock,
            "module-null-sink sink_name=speaker rate=48000 channels=1 norewinds=1 sink_properties=device.description=speaker",
            "module-null-sink sink_name=micfeed rate=48000 channels=1 norewinds=1",
            "module-remap-source master=micfeed.monitor source_name=mic source_properties=device.description=mic"]
    if tone:
        mods.append("module-sine sink=micfeed frequency=%d" % tone)
    cmd = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
           "--disable-shm=yes", "--realtime=no", "--high-priority=no", "--log-target=stderr"]
    for m in mods:
        cmd += ["-L", m]
    inst.spawn("pulse", cmd, env)
    wait_for(lambda: os.path.exists(sock), 15, "PulseAudio")
    for c in (["set-default-sink", "speaker"], ["set-default-source", "mic"]):
        wait_for(lambda: subprocess.run(["pactl", *c], env=env, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL).returncode == 0, 15, "pactl " + c[0], 0.2)
    inst.spawn("micgate", [sys.executable, os.path.join(SOURCES, "harness", "micgate.py")], env)


DROPPED = ("DBUS_", "XDG_", "PULSE_", "GTK_", "GDK_", "GST_", "DINO_SHIM", "FAKECAM")


def profile_env(inst):
    """Environment that keeps an instance's files below its directory."""
    return {MARK: inst.dir, "HOME": inst.path("home"), "XDG_DATA_HOME": inst.path("data"),
            "XDG_CONFIG_HOME": inst.path("config"), "XDG_CACHE_HOME": inst.path("cache"),
            "GSETTINGS_BACKEND": "memory", "GIO_USE_PROXY_RESOLVER": "dummy", "GIO_USE_NETWORK_MONITOR": "base"}


def private_env(inst, a):
    """The environment of an instance that shares nothing with the desktop it was started from."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)
           and k not in ("DISPLAY", "WAYLAND_DISPLAY", "LD_PRELOAD", "NO_AT_BRIDGE", "SESSION_MANAGER")}
    env.update(profile_env(inst))
    env.update({"XDG_RUNTIME_DIR": inst.path("run"), "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8",
                "LANGUAGE": "C", "GTK_A11Y": "atspi", "GTK_USE_PORTAL": "0", "GDK_BACKEND": "x11",
                "GSK_RENDERER": "cairo", "LIBGL_ALWAYS_SOFTWARE": "1",
                "GST_REGISTRY": os.path.join(build_dir(), "registry%s.bin" % ("-cam" if a.camera else "")),
                "G_MESSAGES_DEBUG": a.debug})
    return env


def desktop_env(inst):
    """The environment of an instance on the screen and the sound of whoever started it."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        fail("there is no desktop to show Dino on: neither DISPLAY nor WAYLAND_DISPLAY is set")
    env = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "DBUS_SESSION_BUS_ADDRESS")}
    env.setdefault("XAUTHORITY", os.path.expanduser("~/.Xauthority"))
    env.setdefault("XDG_RUNTIME_DIR", inst.path("run"))
    env.setdefault("DISPLAY", "")
    env.setdefault("PULSE_SERVER", "")
    env.update(profile_env(inst))
    return env


def start_services(inst, env, a):
    """X server, bus, sound and notification daemon; their addresses are added to env."""
    if a.desktop:
        # A bus of its own all the same: on the person's one, Dino would only wake up a Dino that runs already.
        env["DBUS_SESSION_BUS_ADDRESS"] = start_bus(inst, env)
        inst.write("env.json", json.dumps(env))
        return
    env["DISPLAY"] = start_xvfb(inst, env, a.screen)
    env["DBUS_SESSION_BUS_ADDRESS"] = start_bus(inst, env)
    env["PULSE_SERVER"] = "unix:" + inst.path("run", "pulse.sock")
    inst.write("env.json", json.dumps(env))
    if not a.no_audio:
        start_pulse(inst, env, a.tone)
    inst.spawn("notifyd", [sys.executable, os.path.join(SOURCES, "harness", "notifyd.py"),
                           inst.path("notifications.json")], env)


def dino_env(env, a):
    """The environment of Dino itself: the shim and the camera are not for the services around it."""
    env = dict(env)
    if not a.no_shim:
        env.update({"LD_PRELOAD": build_shim(), "DINO_SHIM_DOMAIN": a.domain, "DINO_SHIM_SERVER": a.server})
        if a.ca:
            env["DINO_SHIM_CA"] = os.path.abspath(a.ca)
    if a.camera:
        env["GST_PLUGIN_PATH"] = build_fakecam()
        if a.pattern:
            env["FAKECAM_PATTERN"] = a.pattern
        if a.camera_caps:
            env["FAKECAM_CAPS"] = a.camera_caps
    return env


def dino_program():
    return (os.environ.get("DINO_BIN") or shutil.which("dino-im") or shutil.which("dino")
            or fail("Dino is not installed: apt-get install dino-im"))


def login_checker(inst, process, mark):
    """A function for wait_for: true once online, a failure when that cannot happen any more."""
    def online():
        text = log_text(inst, mark)
        for pat in ("Tls Certificate Errors: .*", "<\\{urn:ietf:params:xml:ns:xmpp-sasl\\}:failure",
                    "Could not establish XMPP session with .*"):
            m = re.search(pat, text)
            if m:
                fail("Dino could not log in: %s (log: %s)" % (m.group(0), inst.log))
        if process.poll() is not None:
            fail("Dino exited with status %s (log: %s)" % (process.returncode, inst.log))
        return is_online(inst, mark)
    return online


def cmd_up(a):
    inst = Instance(a.name or a.user)
    jid = "%s@%s" % (a.user, a.domain)
    password = sys.stdin.readline().rstrip("\n") if a.password == "-" else a.password
    program = dino_program()
    if inst.dino_pid():
        fail("instance %r is already running" % inst.name)
    down(inst)
    if not a.keep:
        shutil.rmtree(inst.dir, ignore_errors=True)
    for d in ("data", "config", "cache", "home", "run"):
        os.makedirs(inst.path(d), mode=0o700, exist_ok=True)
    t0 = time.monotonic()
    env = desktop_env(inst) if a.desktop else private_env(inst, a)
    try:
        denv = dino_env(env, a)
        if a.owner:
            inst.spawn("watch", [sys.executable, os.path.join(SOURCES, "dinoctl"), "watch", inst.name, str(a.owner)], env)
        start_services(inst, env, a)
        denv.update(env)
        if not (a.keep and os.path.exists(inst.path("data", "dino", "dino.db"))):
            seed_profile(inst, jid, password, a.resource or "dino." + inst.name)
        mark = os.path.getsize(inst.log) if os.path.exists(inst.log) else 0
        p = inst.spawn("dino", [program, "--print-xmpp=no-ansi;all"], denv, inst.path("dino.out"), inst.log)
        t1 = time.monotonic()
        wait_for(login_checker(inst, p, mark), a.timeout, "login of " + jid)
        if not (a.no_window or a.desktop):
            wait_for(lambda: A11y(inst).window("DinoUiMainWindow"), a.timeout, "Dino's main window")
    except Failure:
        down(inst)
        raise
    now = time.monotonic()
    return {"name": inst.name, "jid": jid, "pid": p.pid, "dir": inst.dir, "display": env["DISPLAY"],
            "services_s": round(t1 - t0, 2), "login_s": round(now - t1, 2)}


def down(inst, kill=False):
    if inst.dino_pid() and not kill:
        # Let Dino say goodbye to the server.  A session that just breaks off
        # stays "online" for minutes where the server resumes streams, and
        # other Dinos then wait for service discovery answers of that ghost.
        try:
            app_action(inst, "quit")
            end = time.monotonic() + 4
            while inst.dino_pid() and time.monotonic() < end:
                time.sleep(0.05)
        except Exception:                            # no bus, hung: go on
            pass
    for sig, wait in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        pids = inst.pids()
        for p in pids:
            try:
                os.kill(p, sig)
            except ProcessLookupError:
                pass
        end = time.monotonic() + wait
        while inst.pids() and time.monotonic() < end:
            time.sleep(0.05)
    return not inst.pids()


def cmd_watch(a):
    """Wait for the end of the owner, then end the instance as a crash would."""
    inst = Instance(a.name)
    try:
        select.select([os.pidfd_open(a.owner)], [], [])
    except ProcessLookupError:
        pass                                         # gone before we looked
    down(inst, kill=True)
    shutil.rmtree(inst.dir, ignore_errors=True)
    try:
        os.rmdir(ROOT)                               # if this was the last instance
    except OSError:
        pass


def cmd_down(a):
    names = a.name
    if a.all:
        names = [d for d in os.listdir(ROOT) if os.path.exists(os.path.join(ROOT, d, "env.json"))] \
            if os.path.isdir(ROOT) else []
    for n in names:
        inst = Instance(n)
        if not down(inst, a.kill):
            fail("some processes of %r survived: %s" % (n, inst.pids()))
        if a.purge:
            shutil.rmtree(inst.dir, ignore_errors=True)
    return {"down": names}
