"""The virtual environment of this folder."""

import os
import subprocess
import sys
import venv
from pathlib import Path


def enter(requirements):
    """Goes on in `.venv` beside `requirements`, which is made if it does not hold exactly these packages. `SNNC_PEERS` names another
    place for it."""
    folder = Path(os.environ.get("SNNC_PEERS", requirements.parent / ".venv"))
    stamp, wanted = folder / "peers.stamp", requirements.read_text()
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
        subprocess.run([python, *install], check=True)
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != folder.resolve():
        os.execv(python, [str(python), *sys.argv])
