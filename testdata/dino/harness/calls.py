"""Make, take and end calls, and tell what became of them."""
import re
import time

from .instance import Failure, Instance, fail, wait_for
from .media import pulse_streams
from .widgets import A11y, app_action, gio, open_uri, press, ringing
from .xmpplog import is_online

CALL_STATES = ["ringing", "establishing", "in-progress", "other-device", "ended",
               "declined", "missed", "failed"]
ENCRYPTIONS = ["none", "pgp", "omemo", "dtls-srtp", "srtp", "unknown"]


def last_call(inst):
    r = inst.db("SELECT c.id, j.bare_jid, c.counterpart_resource, c.direction, c.state, c.encryption, c.local_time,"
                " c.end_time FROM call c JOIN jid j ON j.id = c.counterpart_id ORDER BY c.id DESC LIMIT 1")
    if not r:
        return None
    i, peer, res, direction, state, enc, t, end = r[0]
    return {"id": i, "peer": peer + ("/" + res if res else ""), "direction": "out" if direction else "in",
            "stored_state": CALL_STATES[state] if state < len(CALL_STATES) else state,
            "encryption": ENCRYPTIONS[enc] if enc < len(ENCRYPTIONS) else enc, "time": t, "end_time": end}


def open_chat(inst, peer):
    open_uri(inst, "xmpp:%s?message" % peer)


def call_button(inst, x, peer, timeout, need_visible=True):
    """The 'start call' button, once Dino offers it for this conversation.

    After a change of conversation the button keeps its old visibility until
    service discovery has been answered, so one look is not enough."""
    open_chat(inst, peer)
    seen = []

    def look():
        win = x.window("DinoUiMainWindow")
        b = win and x.find_action(win, "call.audio")
        if b and not need_visible:
            return b
        if b and x.shown(b)[0]:
            seen.append(time.monotonic())
            return b if seen[-1] - seen[0] > 0.5 else None
        seen.clear()
        return None
    return wait_for(look, timeout, "the call button for %s" % peer, 0.15)


def cmd_can_call(a):
    inst = Instance(a.name)
    t = time.monotonic()
    call_button(inst, A11y(inst), a.peer, a.timeout)
    return {"peer": a.peer, "after_s": round(time.monotonic() - t, 2)}


def cmd_call(a):
    inst = Instance(a.name)
    x = A11y(inst)
    wait_for(lambda: not x.call_window(), 10, "the previous call window to close")
    before = (last_call(inst) or {"id": 0})["id"]
    b = call_button(inst, x, a.peer, a.timeout, not a.force)
    x.do(b, "call.video" if a.video else "call.audio")
    wait_for(x.call_window, a.timeout, "the call window")
    return wait_for(lambda: (last_call(inst) or {"id": 0})["id"] > before and last_call(inst), 5, "the call record")


def cmd_accept(a):
    inst = Instance(a.name)
    n = wait_for(lambda: ringing(inst), a.timeout, "an incoming call")[-1]
    if a.action:
        by_action(inst, "accept-call")
    else:
        press(inst, n["id"], "accept")
    wait_for(lambda: A11y(inst).call_window(), 10, "the call window")
    return {"accepted": last_call(inst), "notification": n["body"]}


def cmd_reject(a):
    inst = Instance(a.name)
    n = wait_for(lambda: ringing(inst), a.timeout, "an incoming call")[-1]
    if a.action:
        by_action(inst, "reject-call")
    else:
        press(inst, n["id"], "reject")
    at = time.time()
    wait_for(lambda: not ringing(inst), 10, "the ringing to stop")
    return {"rejected": last_call(inst), "at": at}


def by_action(inst, action):
    """The same through Dino's own app.accept-call / app.reject-call actions."""
    _, GLib = gio()
    r = inst.db("SELECT v.id, c.id FROM call c JOIN conversation v ON v.jid_id = c.counterpart_id"
                " AND v.account_id = c.account_id ORDER BY c.id DESC LIMIT 1")
    if not r:
        fail("no call in Dino's database")
    app_action(inst, action, GLib.Variant("(ii)", r[0]))


def cmd_hangup(a):
    inst = Instance(a.name)
    x = A11y(inst)
    win = x.call_window() or fail("no call window")
    if a.close:
        x.do(win, "window.close")
    else:
        x.do(x.call_buttons(win)[2], "Click")
    at = time.time()
    wait_for(lambda: not x.call_window(), 10, "the call window to close")
    return {"hung_up": last_call(inst), "at": at}


def toggle(a, which):
    inst = Instance(a.name)
    x = A11y(inst)
    win = x.call_window() or fail("no call window")
    x.do(x.call_buttons(win)[which], "Click")
    return {"toggled": ("microphone", "camera")[which]}


def state(inst, stats=False):
    s = {"name": inst.name, "phase": "down", "pid": inst.dino_pid(), "running": bool(inst.dino_pid())}
    if not s["running"]:
        return s
    s["online"] = is_online(inst)
    s["ringing"] = [{"id": n["id"], "from": n["summary"], "body": n["body"]} for n in ringing(inst)]
    s["last_call"] = last_call(inst)
    x = A11y(inst)
    win = x.call_window()
    s["call_window"] = bool(win)
    s["labels"] = x.labels(win) if win else []
    s["phase"] = "idle" if s["online"] else "offline"
    if win:
        text = " | ".join(s["labels"])
        # A call that was declined keeps the label "Calling" beside the news.
        s["phase"] = ("over" if re.search(r"(ended|declined) the call|has been terminated", text)
                      else "calling" if "Calling\u2026" in text else "remote-ringing" if "Ringing\u2026" in text
                      else "connecting" if "Connecting\u2026" in text else "connected")
        if s["phase"] == "connected":
            # The buttons are replaced by a text once the call is over.
            try:
                x.call_buttons(win)
            except Failure:
                s["phase"] = "over"
        s["display"] = inst.env()["DISPLAY"]
    elif s["ringing"]:
        s["phase"] = "ringing"
    if stats and win and s["phase"] == "connected":
        s["stats"] = call_stats(x, win)
        s["audio_streams"] = pulse_streams(inst)
    return s


def call_stats(x, win):
    """Dino's own 'connection details' window, as a dict."""
    known = {n for n, _ in x.windows()}

    def details():
        for n, w in x.windows():
            if n not in ("DinoUiMainWindow", "DinoUiCallWindow"):
                ls = x.labels(w)
                if "Audio" in ls and "Codec" in ls:
                    return ls
        return None
    if not details():
        b = x.find_action(win, "menu.debuginfo")
        if b:
            x.do(b, "menu.debuginfo")
        wait_for(details, 5, "the connection details window")
    # Rates are shown from the second update on.
    end = time.monotonic() + 4
    while True:
        out = parse_stats(details() or [])
        if time.monotonic() > end or out and all("sent" in m and "received" in m for m in out.values()):
            return out
        time.sleep(0.3)


def parse_stats(ls):
    out, media, key = {}, None, None
    for l in ls:
        if l in ("Audio", "Video"):
            media, key = l.lower(), None
            out[media] = {}
        elif media and l in ("RTP", "RTCP", "Sent", "Received", "Codec", "Target receive bitrate", "Target send bitrate"):
            key = l.lower().replace(" ", "_")
        elif media and key:
            if l != "?":
                out[media][key] = l
            key = None
    return {m: v for m, v in out.items() if "codec" in v}


def cmd_state(a):
    return state(Instance(a.name), a.stats)


def cmd_wait(a):
    inst = Instance(a.name)
    t = time.monotonic()
    want = a.phase.split(",")
    s = {}

    def ok():
        s.clear()
        if want == ["ringing"]:          # cheap and fast: no accessibility calls
            return bool(ringing(inst))
        s.update(state(inst))
        return s["phase"] in want
    wait_for(ok, a.timeout, "%s to be %s" % (a.name, a.phase), 0.1)
    return {"phase": s.get("phase", "ringing"), "at": time.time(), "after_s": round(time.monotonic() - t, 2), "last_call": last_call(inst)}
