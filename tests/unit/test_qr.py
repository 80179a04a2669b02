# SPDX-License-Identifier: Apache-2.0
"""Labels are read by another maker's reader."""

import subprocess
from pathlib import Path

import pytest
from PIL import Image

from dialtone.errors import LocalError
from dialtone.lab import qr


@pytest.mark.parametrize("length", [1, 17, 18, 32, 53, 54, 78, 79, 106])
def test_a_foreign_reader_reads_it(length: int, tmp_path: Path) -> None:
    text = ("IMSI 001010000000001, +1001; " * 4)[:length]
    rows = qr.matrix(text)
    size = 8 * (len(rows) + 8)
    image = Image.new("1", (size, size), 1)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            image.paste(0 if dark else 1, (8 * (x + 4), 8 * (y + 4), 8 * (x + 5), 8 * (y + 5)))
    image.save(tmp_path / "label.png")
    read = subprocess.run(["zbarimg", "-q", "--raw", str(tmp_path / "label.png")], capture_output=True, text=True,
                          check=True)
    assert read.stdout.rstrip("\n") == text


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(LocalError, match="106 octets"):
        qr.matrix("x" * 107)


def test_the_picture_has_every_module() -> None:
    assert qr.svg("x").count("M") == sum(map(sum, qr.matrix("x")))
