# SPDX-License-Identifier: Apache-2.0
"""`python -m dialtone.cli`."""

from dialtone.cli import main

main()
