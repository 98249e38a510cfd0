"""Dino's own actions, its widgets (AT-SPI) and its notifications, all over D-Bus."""
import json
import os

from .instance import Instance, fail


def gio():
    import gi
    gi.require_version("Gio", "2.0")
    from gi.repository import Gio, GLib
    return Gio, GLib


def session_bus(inst):
    inst.use_env()
    Gio, _ = gio()
    return Gio.DBusConnection.new_for_address_sync(
        os.environ["DBUS_SESSION_BUS_ADDRESS"],
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)


def app_action(inst, action, *params):
    """Activate one of Dino's own GActions, as its notifications do."""
    _, GLib = gio()
    session_bus(inst).call_sync("im.dino.Dino", "/im/dino/Dino", "org.gtk.Actions", "Activate",
                                GLib.Variant("(sava{sv})", (action, list(params), {})), None, 0, 10000, None)


def open_uri(inst, uri):
    _, GLib = gio()
    session_bus(inst).call_sync("im.dino.Dino", "/im/dino/Dino", "org.freedesktop.Application", "Open",
                                GLib.Variant("(asa{sv})", ([uri], {})), None, 0, 10000, None)


class A11y:
    """The accessibility (AT-SPI) tree of one Dino, spoken over plain D-Bus."""
    ACC = "org.a11y.atspi.Accessible"
    ACT = "org.a11y.atspi.Action"

    def __init__(self, inst):
        Gio, self.GLib = gio()
        bus = session_bus(inst)
        addr = bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress",
                             None, None, 0, 15000, None).unpack()[0]
        self.bus = Gio.DBusConnection.new_for_address_sync(
            addr, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.bus.set_exit_on_close(False)

    def call(self, node, iface, method, args=None):
        return self.bus.call_sync(node[0], node[1], iface, method, args, None, 0, 10000, None).unpack()

    def get(self, node, iface, prop):
        return self.call(node, "org.freedesktop.DBus.Properties", "Get", self.GLib.Variant("(ss)", (iface, prop)))[0]

    # A widget can vanish between two calls; treat that as "not there".
    def safe(self, default, fn, *args):
        try:
            return fn(*args)
        except self.GLib.Error:
            return default

    def kids(self, node):
        return [tuple(k) for k in self.safe(([],), self.call, node, self.ACC, "GetChildren")[0]]

    def name(self, node):
        return self.safe("", self.get, node, self.ACC, "Name")

    def role(self, node):
        return self.safe(("",), self.call, node, self.ACC, "GetRoleName")[0]

    def actions(self, node):
        return [x[0] for x in self.safe(([],), self.call, node, self.ACT, "GetActions")[0]]

    def shown(self, node):
        s = self.safe(([0, 0],), self.call, node, self.ACC, "GetState")[0]
        bits = s[0] | s[1] << 32
        return bool(bits >> 30 & 1), bool(bits >> 24 & 1)      # visible, sensitive

    def do(self, node, action):
        acts = self.actions(node)
        if action not in acts:
            fail("widget has no action %r (has %s)" % (action, acts))
        return self.call(node, self.ACT, "DoAction", self.GLib.Variant("(i)", (acts.index(action),)))[0]

    def windows(self):
        root = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
        return [(self.name(w), w) for app in self.kids(root) for w in self.kids(app)]

    def window(self, name):
        for n, w in self.windows():
            if n == name:
                return w
        return None

    def walk(self, node, depth=0):
        yield node, depth
        for k in self.kids(node):
            yield from self.walk(k, depth + 1)

    def find_action(self, node, action):
        for n, _ in self.walk(node):
            if self.role(n) in ("button", "group", "push button") and action in self.actions(n):
                return n
        return None

    def labels(self, node):
        return [self.name(n) for n, _ in self.walk(node) if self.role(n) == "label" and self.shown(n)[0]]

    def call_window(self):
        return self.window("DinoUiCallWindow")

    def call_buttons(self, win):
        """(microphone, camera, hang-up) buttons of a call window."""
        for n, _ in self.walk(win):
            if self.role(n) != "group":
                continue
            ks = self.kids(n)
            if len(ks) == 3 and [self.name(k) for k in ks] == ["GtkOverlay", "GtkOverlay", "GtkButton"]:
                return self.kids(ks[0])[0], self.kids(ks[1])[0], ks[2]
        fail("the call window shows no buttons (the call is over?)")


def notifications(inst):
    try:
        with open(inst.path("notifications.json")) as fh:
            return json.load(fh)
    except (OSError, ValueError):
        return []


def ringing(inst):
    return [n for n in notifications(inst) if n["open"] and "reject" in n["actions"]
            and n["hints"].get("sound-name") == "phone-incoming-call"]


def press(inst, nid, action):
    _, GLib = gio()
    session_bus(inst).call_sync("org.freedesktop.Notifications", "/test/Harness", "test.Harness", "Press",
                                GLib.Variant("(us)", (nid, action)), None, 0, 10000, None)


def cmd_tree(a):
    """Dump the accessibility tree (to find a widget)."""
    x = A11y(Instance(a.name))
    for n, w in x.windows():
        for node, d in x.walk(w):
            vis, sens = x.shown(node)
            print("%s%s %r %s%s %s" % ("  " * d, x.role(node), x.name(node), "v" if vis else "-", "s" if sens else "-",
                                       [q for q in x.actions(node) if not q.startswith(("clipboard", "selection", "default", "text.", "menu.popup"))]))
