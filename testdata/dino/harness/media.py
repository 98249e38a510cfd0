"""Listen to what Dino plays and look at what it shows."""
import array
import math
import subprocess
import time

from .instance import Failure, Instance, fail, wait_for


def goertzel(frame, rate, f):
    c = 2 * math.cos(2 * math.pi * f / rate)
    a = b = 0.0
    for v in frame:
        a, b = v + c * a - b, a
    return (a * a + b * b - c * a * b) * 2 / len(frame)


def cmd_audio(a):
    return measure(Instance(a.name), a.seconds, a.freq, a.device)


def cmd_hear(a):
    """Wait until this Dino plays the tone FREQ."""
    inst = Instance(a.name)
    t, m = time.monotonic(), {}

    def ok():
        m.update(measure(inst, 0.5, [a.freq], "speaker.monitor"))
        return m["rms"] > 200 and m["share"][str(a.freq)] > 0.5
    try:
        wait_for(ok, a.timeout, "%s to play %d Hz" % (a.name, a.freq))
    except Failure as e:
        fail("%s (last heard: %s)" % (e, m))
    m["after_s"] = round(time.monotonic() - t, 2)
    return m


def measure(inst, seconds, freqs, device):
    """Listen to what this Dino plays: loudness, and each tone's share of it."""
    inst.use_env()
    rate = 16000
    p = subprocess.Popen(["parec", "-d", device, "--rate=%d" % rate, "--format=s16le", "--channels=1",
                          "--latency-msec=50"], stdout=subprocess.PIPE)
    data = p.stdout.read(int(rate * seconds) * 2)
    p.kill()
    p.wait()
    s = array.array("h", data[:len(data) // 2 * 2])
    if not s:
        fail("no audio could be read")
    n = rate // 20                                  # 50 ms frames
    total, share = 0.0, dict.fromkeys(freqs, 0.0)
    for i in range(0, len(s) - n + 1, n):
        f = s[i:i + n]
        total += sum(v * v for v in f)
        for q in freqs:
            share[q] += goertzel(f, rate, q)
    return {"seconds": round(len(s) / rate, 2), "rms": round(math.sqrt(sum(v * v for v in s) / len(s)), 1),
            "share": {str(q): round(v / total, 3) if total else 0.0 for q, v in share.items()}}


def pulse_streams(inst):
    inst.use_env()
    out = {}
    for kind, key in (("sink-inputs", "playing"), ("source-outputs", "recording")):
        r = subprocess.run(["pactl", "list", kind], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        out[key] = r.stdout.count('application.name = "Dino"')
    return out


def cmd_shot(a):
    inst = Instance(a.name)
    inst.use_env()
    r = subprocess.run(["import", "-window", "root", a.file])
    if r.returncode:
        fail("import failed (imagemagick)")
    return {"file": a.file}


def cmd_pixel(a):
    """Mean colour of a rectangle of the screen: WxH+X+Y."""
    inst = Instance(a.name)
    inst.use_env()
    r = subprocess.run(["import", "-window", "root", "-crop", a.area, "+repage", "-resize", "1x1!", "-depth", "8", "rgb:-"],
                       stdout=subprocess.PIPE)
    if len(r.stdout) < 3:
        fail("import failed (imagemagick)")
    return dict(zip("rgb", r.stdout[:3]))
