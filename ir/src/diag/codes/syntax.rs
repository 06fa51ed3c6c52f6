//! Files and syntax (01xx).

use super::codes;

codes! {
    // 0150..0159: the .snn text form.
    TEXT_SYNTAX = 150, "text form: syntax",
        "The text does not continue as the .snn form demands at this place. Each line of the form is \
        one entity or one of its properties; the note says what was expected. Example: \
        `node3 \"h\" linear` without the shape in brackets. Write the line as `snnc fmt` would.";
    TEXT_HEADER = 151, "text form: header",
        "A .snn file starts with `snn 1 network`, `snn 1 quantized` or `snn 1 mapped`: the format \
        version, then the level. Without it the meaning of the rest is unknown. Add the line, or \
        convert the file with the build that wrote it if its version is another one.";
    TEXT_VALUE = 152, "text form: value out of range",
        "A number, name or word is well-formed but its type cannot hold it, for example a delay of \
        -1, a mantissa of 40000, or an unknown coding. Values are never clipped or rounded to fit. \
        Give a value in the range that the note states.";
    TEXT_NUMBERING = 153, "text form: entities out of order",
        "Entities are numbered from 0 in the order of the file, because other lines refer to them by \
        these numbers: `pop0`, `pop1`, ... A gap, a repetition or another order would make \
        references ambiguous. Number the entities in order.";
    TEXT_REFERENCE = 154, "text form: unknown entity",
        "A line refers to an entity that the file does not define, for example `pop7` in a file with \
        three populations. Define it, or correct the number.";

    // 0160..0169: the .snnb binary form.
    BINARY_MAGIC = 160, "binary form: not a .snnb file",
        "A .snnb file starts with the four bytes `SNNB`; this one does not, so nothing in it is \
        interpreted. Often a text file or another artifact was given. Give a file written by snnc.";
    BINARY_VERSION = 161, "binary form: unknown version",
        "The file was written in another version of the .snnb form. Versions are not converted \
        silently, because fields may have moved. Write the file again with this build from its \
        source, or use the build that wrote it.";
    BINARY_KIND = 162, "binary form: unknown kind",
        "Byte 4 of a .snnb file says what it holds: 0 network, 1 quantized, 2 mapped, 3 program. \
        Another value means that the file is damaged or newer than this build. Write it again.";
    BINARY_PROGRAM = 163, "binary form: a program, not a network",
        "The file holds an emitted program (kind 3): registers and tables of cores, not an editable \
        network. It can be run, inspected and certified, but no pass can start from it. Give the \
        network from which it was compiled.";
    BINARY_TRUNCATED = 164, "binary form: truncated",
        "The file ends inside a value. Usually a copy or a download was cut off. Fetch or write the \
        file again; nothing of it is used.";
    BINARY_TRAILING = 165, "binary form: trailing bytes",
        "The file goes on after the end of its network. Ignoring the rest could hide that two files \
        were joined or that the decoder misread a length. Remove what was appended or write the \
        file again.";
    BINARY_CORRUPT = 166, "binary form: damaged",
        "The bytes do not decode to a network: an unknown variant, a number too large for its type, \
        text that is not UTF-8, or the like. The file was damaged or written by another build. \
        Write it again.";
}
