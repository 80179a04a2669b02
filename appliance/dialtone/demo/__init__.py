# SPDX-License-Identifier: Apache-2.0
"""The whole lab by one command: host.py on the machine itself, guest.py where the kernel has everything."""
