"""A real window on a virtual X display, and keys pressed in it."""

import ctypes
import os
import shutil
import subprocess
import time

PROGRAMS = ("Xvfb", "xdotool")
SECONDS = 180.0


def missing_programs():
    """Those of `PROGRAMS` that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent of Xlib.h, with the padding of XEvent."""

    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong),
                ("message_type", ctypes.c_ulong), ("format", ctypes.c_int),
                ("data", ctypes.c_long * 5), ("padding", ctypes.c_long * 24)]


def ask_to_close(display_name, window):
    """What a window manager does when somebody presses the button that closes a window."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(display_name.encode()))

    def atom(name):
        return x11.XInternAtom(display, name, 0)

    message = ClientMessage(type=33, window=window, message_type=atom(b"WM_PROTOCOLS"), format=32)
    message.data[0] = atom(b"WM_DELETE_WINDOW")
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(display)


class Display:
    """An Xvfb of its own; a context manager."""

    def __enter__(self):
        read_end, write_end = os.pipe()
        # By default a server begins anew whenever its last client has gone, and turns away who
        # comes meanwhile, such as the window after the process that tried the display.
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x1200x24", "-nolisten",
             "tcp", "-noreset"], pass_fds=[write_end], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as told:
            self.name = f":{told.readline().strip()}"  # written once it can be used
        return self

    def __exit__(self, *failure):
        self.end()

    def end(self):
        """The display goes away, as when an SSH connection ends."""
        self._server.kill()
        self._server.wait()

    def press(self, title, *keys):
        """Presses keys (X11's names) in the window of that title."""
        window = self.window(title)
        self._xdotool("windowfocus", "--sync", window)
        for key in keys:
            self._xdotool("key", key)

    def close_window(self, title):
        """Closes a window as its user would, by the button in its frame."""
        ask_to_close(self.name, int(self.window(title)))

    def window(self, title):
        """The number of a window, once it is there."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            found = self.windows(title)
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"no window {title!r} on {self.name}")

    def windows(self, title):
        """The numbers of those that are there now."""
        return self._xdotool("search", "--onlyvisible", "--name", title, check=False).split()

    def _xdotool(self, *words, check=True):
        done = subprocess.run(["xdotool", *words], env=os.environ | {"DISPLAY": self.name},
                              capture_output=True, text=True, check=check)
        return done.stdout
