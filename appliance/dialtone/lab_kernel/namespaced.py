# SPDX-License-Identifier: Apache-2.0
"""Run a command in network, mount and PID namespaces of its own, on a kernel that has everything."""

import contextlib
import os
import shlex
import signal
import subprocess

from dialtone.errors import LocalError
from dialtone.lab_kernel import links
from dialtone.lab_kernel.guest import (
    GUEST_ENDS,
    HOST_ADDRESS,
    HOST_ADDRESS6,
    HOST_ENDS,
    TAP,
    Guest,
    by_way_of,
    family,
)
from dialtone.lab_kernel.kernel import Mode

# First process of the namespaces. Names of namespaces and /sys are its own; the command's end is its end, and its end
# the end of every process in here. The trap makes it outlive a signal to the group and report the command's own exit
# code. Descriptor @FD@ is the host's network namespace.
_INIT = r"""
mkdir -p /run/netns && mount -t tmpfs netns /run/netns && mount -t sysfs sysfs /sys && ip link set lo up || exit 125
@WIRE@
trap : INT TERM
"$@" @FD@<&- </dev/null
exit $?
"""

_WIRE = r"""
host="nsenter --net=/proc/self/fd/@FD@"
ip link add @TAP@ type veth peer name vec0 && ip link set @TAP@ netns /proc/self/fd/@FD@ || exit 125
$host ip addr add @HOST@ dev @TAP@ && $host ip link set @TAP@ up || exit 125
ip addr add @GUEST@ dev vec0 && ip link set vec0 up && ip route add default via @GATEWAY@ || exit 125
if [ -e /proc/sys/net/ipv6 ]; then
  $host ip -6 addr add @HOST6@ dev @TAP@ nodad
  ip -6 addr add @GUEST6@ dev vec0 nodad && ip -6 route add default via @GATEWAY6@
fi
@ROUTES@
"""


class NamespaceGuest(Guest):
    """A guest on the host's own kernel. Its network, and the wire to it, vanish with its last process."""

    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> "NamespaceGuest":
        """Make the namespaces and start the command."""
        if os.geteuid() != 0:
            raise LocalError("Network namespaces need root.", remedy="Use sudo.")
        if self.options.tap and links.exists(TAP):
            raise LocalError(f"The interface {TAP} exists: a lab runs already.", remedy="Stop it, then try again.")
        host = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        output_in, output_out = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--pid", "--fork"),
                    *("--kill-child=KILL", "--mount-proc", "sh", "-c", self._init(host), "sh", *self.command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output_out,
                stderr=output_out,
                env=self._environment() | {"DIALTONE_LAB": Mode.NAMESPACES.value},
                cwd=self.options.directory,
                pass_fds=(host,),
                start_new_session=True,
            )
        finally:
            os.close(host)
            os.close(output_out)
        self._pump(output_in, self.output)
        return self

    def wait(self, timeout: float | None = None) -> int:
        """See Guest.wait."""
        assert self._process is not None, "not started"
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.command[0]} still runs after {timeout:g} s") from None
        self._gone()
        return 128 - code if code < 0 else code

    def signal(self, name: str) -> None:
        """See Guest.signal: unshare and the first process do not mind INT and TERM, the command does."""
        assert self._process is not None, "not started"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, getattr(signal, f"SIG{name}"))

    def stop(self, grace: float = 10.0) -> None:
        """See Guest.stop."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.signal("INT")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._process.kill()
        self._process.wait()
        self._gone()

    def _gone(self) -> None:
        """The wire goes with the namespace, which the kernel takes down in its own time: do not leave it to that."""
        self._join()
        if self.options.tap:
            links.remove(TAP)

    def _init(self, host: int) -> str:
        wire = ""
        if self.options.tap:
            routes = [f"$host ip {family(p)} route replace {shlex.quote(p)} via {by_way_of(p)}"
                      for p in self.options.routes]
            wire = _WIRE.replace("@ROUTES@", "\n".join(routes)).replace("@TAP@", TAP)
            for place, value in zip(("@HOST@", "@HOST6@", "@GUEST@", "@GUEST6@", "@GATEWAY@", "@GATEWAY6@"),
                                    (*HOST_ENDS, *GUEST_ENDS, HOST_ADDRESS, HOST_ADDRESS6), strict=True):
                wire = wire.replace(place, value)
        return _INIT.replace("@WIRE@", wire).replace("@FD@", str(host))
