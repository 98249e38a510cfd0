"""What Dino sent and received, read from its own --print-xmpp log."""
import os
import re

from .instance import Instance, fail

HEAD = re.compile(r"^XMPP (IN|OUT)( ROOT)? \[(\S+) stream:\S+ thread:\S+ (\S+)\]$")
TAG = re.compile(r"<(/?)\{([^}]*)\}:([\w.-]+)((?:\s+\{[^}]*\}:[\w.-]+='[^']*')*)\s*(/?)>")
ATTR = re.compile(r"\{([^}]*)\}:([\w.-]+)='([^']*)'")
XMLNS = "http://www.w3.org/2000/xmlns/"
STREAMS = "http://etherx.jabber.org/streams"
XMLURI = "http://www.w3.org/XML/1998/namespace"
CALL_NS = r"urn:xmpp:jingle|jingle-message|call-invites|muji"


def log_text(inst, start=0):
    try:
        with open(inst.log, "rb") as fh:
            fh.seek(start)
            return fh.read().decode("utf-8", "replace")
    except OSError:
        return ""


def clean_xml(text):
    """Turn Dino's {ns}:name notation back into XML with minimal xmlns."""
    stack, out, pos = [None], [], 0
    for m in TAG.finditer(text):
        out.append(text[pos:m.start()])
        pos = m.end()
        close, ns, name, attrs, empty = m.groups()
        tag = "stream:" + name if ns == STREAMS else name
        if close:
            if len(stack) > 1:
                stack.pop()
            out.append("</%s>" % tag)
            continue
        parent = stack[-1]
        s = "<" + tag
        default = parent
        if ns == STREAMS:
            if parent is None and name != "stream":
                s += " xmlns:stream='%s'" % STREAMS
            if name == "stream":
                default = "jabber:client"
                s += " xmlns='jabber:client' xmlns:stream='%s'" % STREAMS
        elif ns != parent:
            s += " xmlns='%s'" % ns
            default = ns
        for ans, an, av in ATTR.findall(attrs):
            if ans == XMLNS:
                continue
            s += " %s='%s'" % ("xml:" + an if ans == XMLURI else an, av)
        out.append(s + ("/>" if empty else ">"))
        if not empty:
            stack.append(default)
    out.append(text[pos:])
    # Dino's log indents; the wire has no white space around text.
    return re.sub(r">\s*\n\s*([^<>\n][^<>]*?)\s*\n\s*</", r">\1</", "".join(out).strip("\n"))


def stanzas(inst, start=0):
    """[(direction, time, xml)] from Dino's own --print-xmpp log."""
    out, cur = [], None
    for line in log_text(inst, start).split("\n"):
        m = HEAD.match(line)
        if m:
            cur = [m.group(1), m.group(4), []]
            out.append(cur)
        elif cur is not None:
            if line.startswith("(") or (line == "" and cur[2]):
                cur = None
            else:
                cur[2].append(line)
    return [(d, t, clean_xml("\n".join(b))) for d, t, b in out]


def is_online(inst, start=0):
    return any(d == "OUT" and re.match(r"<presence\b[^>]*>", x) and " to='" not in x.split(">")[0]
               and "type='unavailable'" not in x for d, t, x in stanzas(inst, start))


def cmd_xml(a):
    inst = Instance(a.name)
    if not os.path.exists(inst.log):
        fail("no log of %r" % a.name)
    rx = re.compile(a.grep or (CALL_NS if a.calls else ""))
    items = stanzas(inst, a.since)
    ids = {re.search(r" id='([^']*)'", x.split(">")[0]).group(1) for d, t, x in items
           if x.startswith("<iq") and rx.search(x) and re.search(r" id='([^']*)'", x.split(">")[0])}
    if a.wrap:
        print("<capture client='Dino' scenario='%s'>" % a.wrap)
    for d, t, x in items:
        head = x.split(">")[0]
        m = re.search(r" id='([^']*)'", head)
        reply = x.startswith("<iq") and m and m.group(1) in ids
        if (a.calls or a.grep) and not (rx.search(x) or reply):
            continue
        if a.calls and "<result xmlns='urn:xmpp:mam:2'" in x:
            continue
        if a.calls and not a.disco and ("http://jabber.org/protocol/disco#info" in x or x.startswith("<presence")):
            continue
        if a.wrap:
            if x.startswith(("<?xml", "<stream:stream", "</stream:stream")):
                continue
            tag = {"IN": "received", "OUT": "sent"}[d]
            print("<%s at='%s'>\n%s\n</%s>" % (tag, t, x, tag))
        else:
            print("<!-- %s %s -->\n%s\n" % (d, t, x))
    if a.wrap:
        print("</capture>")


def cmd_mark(a):
    """Current size of the log, for `xml --since`."""
    inst = Instance(a.name)
    return os.path.getsize(inst.log) if os.path.exists(inst.log) else 0
