"""Stand-ins for NVIDIA's libraries: 4 GB that the wheel of PyTorch links, and that nothing calls on a processor.

Whoever calls into them all the same is told that there is no device.
"""

import subprocess
from pathlib import Path

# CUDA's `cudaErrorNoDevice`; not 0 in any other of the libraries either.
NO_DEVICE = 100

# Parts of names of libraries that are stood in for.
KINDS = ["libcu", "libnccl", "libnv"]


def lines(tool, *arguments):
    out = subprocess.run([tool, *map(str, arguments)], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in out.splitlines()]


def linked(library):
    """Names of libraries that one links, each with the versions of symbols that it wants of them."""
    found, name = {}, None
    for line in lines("readelf", "-dVW", library):
        if "(NEEDED)" in line:
            found.setdefault(line[-1].strip("[]"), set())
        elif "File:" in line:
            name = line[line.index("File:") + 1]
            found.setdefault(name, set())
        elif name and "Name:" in line and "Flags:" in line:
            found[name].add(line[line.index("Name:") + 1])
    return found


def write(folder):
    """Puts a library into `folder` for each of NVIDIA's that its libraries link, unless it is there."""
    libraries = sorted(folder.glob("*.so*"))
    versions, defined, wanted = {}, set(), {}
    for library in libraries:
        for name, some in linked(library).items():
            versions.setdefault(name, set()).update(some)
        defined |= {line[-1].split("@")[0] for line in lines("nm", "-D", "--defined-only", library)}
        for kind, symbol in (line[-2:] for line in lines("nm", "-D", "--undefined-only", library)):
            if kind == "U":
                name, _, version = symbol.partition("@")
                wanted[name] = version.lstrip("@")
    # Symbols of no version may be anybody's: the first library gets them.
    anybody = sorted(s for s, version in wanted.items() if not version and s not in defined and s[:2] != "_Z")
    present = {library.name for library in libraries}
    source, script = folder / "stubs.c", folder / "stubs.map"
    for name in sorted(versions):
        if name in present or not name.startswith(tuple(KINDS)):
            continue
        own, nodes = anybody, []
        anybody = []
        for version in sorted(versions[name]):
            symbols = sorted(s for s, of in wanted.items() if of == version)
            own = own + symbols
            nodes.append(f"{version} {{ global: {' '.join(f'{s};' for s in symbols)} }};\n")
        source.write_text("".join(f"int {symbol}(void) {{ return {NO_DEVICE}; }}\n" for symbol in own))
        script.write_text("".join(nodes))
        options = ["-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{name}"]
        options += [f"-Wl,--version-script,{script}"] if nodes else []
        subprocess.run(["gcc", *options, "-o", folder / name, source], check=True)
    source.unlink(missing_ok=True)
    script.unlink(missing_ok=True)


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]))
