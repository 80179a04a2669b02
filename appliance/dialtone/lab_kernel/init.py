# SPDX-License-Identifier: Apache-2.0
"""What happens inside user-mode Linux: the script that is its init, and the modules that script loads."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from dialtone.lab_kernel.guest import GUEST_ENDS, HOST_ADDRESS, HOST_ADDRESS6

# User-mode Linux has no module autoloading (its modules lie outside /lib/modules), so everything is named here.
# nf_tables is not: this kernel was built without its ip, ip6 and inet families, so nft works on the host's side of the
# tap only. The hashes come first: listen() on an SCTP socket fails with ENOSYS while the cookie's HMAC is missing.
HASHES = ("hmac", "sha1_generic", "md5", "sha256_generic", "crc32c_generic")
MODULES = (
    *("sctp", "sctp_diag", "tun", "veth", "dummy", "bridge"),
    *("cls_bpf", "sch_ingress", "act_mirred", "act_gact", "sch_netem"),
    # Since 6.12 (Debian 13) cbc(aes) is made of ecb(aes); kernels before do without.
    *("xfrm_user", "xfrm_algo", "esp4", "esp6", "authenc", "cbc", "ecb", "crypto_null", "des_generic", "echainiv"),
    *("drbg", "sha512_generic", "ctr"),  # a CBC SA draws its IV from the kernel's RNG
)

# Words on the control console.
READY_FOR_NET = "net"  # guest: the tap is open, give it its address
NET_READY = "go"  # host: done; every later word of the host's is the name of a signal for the command
RUNNING = "running"  # guest: the command is about to run

_INIT = r"""#!/bin/sh
# The init of the lab kernel. $run is a directory of the host; con1 carries the output, con2 the control words.
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
run=@RUN@
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs -o mode=755 run /run
mkdir -p /dev/shm /dev/pts /dev/net /run/lab/lib/modules /run/tmp /run/lock
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
mount -t tmpfs -o mode=1777 tmp /run/tmp
ln -s /proc/self/fd /dev/fd; ln -s fd/0 /dev/stdin; ln -s fd/1 /dev/stdout; ln -s fd/2 /dev/stderr
ln -s "/usr/lib/uml/modules/$(uname -r)" /run/lab/lib/modules/
modprobe -q -d /run/lab -a @HASHES@
modprobe -q -d /run/lab -a @MODULES@
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
ip link set lo up
stty -F /dev/tty1 raw -echo
stty -F /dev/tty2 -echo -opost
exec 3</dev/tty2 4>/dev/tty2
@NET@
# The command runs in the foreground (a shell would start a background command with SIGINT ignored) and in a session of
# its own; its output passes a pipe, so that it looks to the command as it looks on the host.
mkfifo /run/lab/output
cat /run/lab/output >/dev/tty1 & cat=$!
exec 5>/run/lab/output
{ while read -r word <&3; do kill -s "$word" -- "-$(cat /run/lab/pid)"; done; } 2>/dev/null 5>&- & control=$!
sh "$run/command" >&5 2>&1 5>&- 3<&- 4>&- </dev/null
echo $? >"$run/status"
exec 5>&-
# What the command left behind would hold the pipe open.
for p in /proc/[0-9]*; do
    p=${p#/proc/}
    case $p in 1|"$cat"|"$control") continue;; esac
    [ -n "$(readlink "/proc/$p/exe")" ] && kill -KILL "$p" 2>/dev/null
done
wait "$cat"
sync
echo o >/proc/sysrq-trigger
wait
"""

_NET = r"""ip link set vec0 up
echo net >&4
read -r word <&3
ip addr add @ADDRESS@ dev vec0
ip route add default via @GATEWAY@
ip -6 addr add @ADDRESS6@ dev vec0 nodad
ip -6 route add default via @GATEWAY6@"""


def init_script(run: Path, *, tap: bool) -> str:
    """The text of init: mounts, modules, the tap where asked, then `run`/command, its exit code into `run`/status."""
    net = ""
    if tap:
        for place, value in zip(("@ADDRESS@", "@ADDRESS6@", "@GATEWAY@", "@GATEWAY6@"),
                                (*GUEST_ENDS, HOST_ADDRESS, HOST_ADDRESS6), strict=True):
            net = (net or _NET).replace(place, value)
    text = _INIT.replace("@RUN@", shlex.quote(str(run))).replace("@NET@", net)
    return text.replace("@HASHES@", " ".join(HASHES)).replace("@MODULES@", " ".join(MODULES))


def command_script(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> str:
    """The text that runs `command` in `directory` as the leader of a session, whose pid it leaves for the control."""
    # Only what a shell takes as a name can be exported by one.
    names = [key for key in environment if key.isidentifier() and key.isascii()]
    exports = "\n".join(f"export {key}={shlex.quote(environment[key])}" for key in names)
    return (
        f"{exports}\ncd {shlex.quote(str(directory))} || exit 126\n"
        "echo $$ >/run/lab/pid\n"
        f"echo {RUNNING} >/dev/tty2\n"
        f"exec setsid {shlex.join(command)}\n"
    )
