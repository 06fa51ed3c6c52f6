"""The virtual environment of this folder."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def enter():
    """Goes on in `.venv` here, which is made if it does not hold exactly the packages of `requirements.txt`. `SNNC_PEERS` names
    another place for it."""
    folder = Path(os.environ.get("SNNC_PEERS", HERE / ".venv"))
    files = [HERE / "requirements.txt", HERE / "stubs.py"]
    stamp, wanted = folder / "peers.stamp", hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        # All that is needed is listed: what the packages list themselves is 4 GB more.
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps"]
        subprocess.run([python, *install, "-r", files[0]], check=True)
        libraries = sysconfig.get_path("platlib", vars={"base": str(folder), "platbase": str(folder)})
        subprocess.run([python, files[1], Path(libraries) / "torch" / "lib"], check=True)
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != folder.resolve():
        os.execv(python, [str(python), *sys.argv])
