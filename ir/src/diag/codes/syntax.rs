//! Files and syntax (01xx).

use super::codes;

codes! {
    // 0101..0109: files and JSON.
    FILE_READ = 101, "file cannot be read",
        "The file does not exist, may not be opened, or is not a regular file. Check the spelling and \
        the permissions; paths are relative to the current folder.";
    FILE_SIZE = 102, "file too large",
        "Files are read whole, so their size is bounded before anything is allocated. A genome's JSON \
        holds structure, not bulk numbers: move tensors to a side-car file.";
    JSON_SYNTAX = 103, "JSON: syntax",
        "The text is not JSON at this line and column. Frequent causes: a comma after the last entry, \
        a missing quote, `NaN` or `Infinity` (JSON has no such numbers), a file that was cut off.";
    JSON_DUPLICATE = 104, "JSON: key given twice",
        "An object has the same key twice. Most readers keep one of the two silently, and different \
        readers keep different ones. Remove one.";

    // 0110..0119: safetensors.
    SAFETENSORS_HEADER = 110, "safetensors: bad header",
        "A safetensors file starts with 8 bytes, the length of a JSON header as a little-endian number, \
        and the header: an object of tensors. Here the length is beyond the file or the header is no \
        such object. Usually the file is truncated or of another format.";
    SAFETENSORS_ENTRY = 111, "safetensors: bad tensor entry",
        "An entry of the header is `{\"dtype\": …, \"shape\": […], \"data_offsets\": [begin, end]}`, \
        and the offsets enclose exactly the bytes that dtype and shape need. This one is not so. \
        Write the file again with a current exporter.";
    SAFETENSORS_LAYOUT = 112, "safetensors: data overlap or leave gaps",
        "The data of all tensors cover the rest of the file without overlap and without gap. Otherwise a \
        tensor could read another one's bytes, or bytes that belong to none. Write the file again.";
    DTYPE = 113, "element type not supported",
        "The elements of a used tensor are of a type that snnc does not read: strings, complex numbers, \
        Python objects, 8-bit floats, structured records. Convert the array to a float or integer type.";
    BOOLEAN_BYTE = 114, "boolean that is neither 0 nor 1",
        "Booleans are stored as bytes 0 and 1. Another byte means that the data are of another type or \
        damaged.";

    // 0120..0129: npz.
    NPZ_ARCHIVE = 120, "npz: not a readable zip archive",
        "An .npz file is a zip archive of .npy files. This one cannot be opened as such, or a member is \
        encrypted, damaged or compressed with a method other than deflate. Write it again with \
        `numpy.savez` or `numpy.savez_compressed`.";
    NPZ_MEMBER = 121, "npz: member is not an array",
        "Every member of an .npz archive is an .npy file, named `<array>.npy`. Remove other members.";
    NPY_HEADER = 122, "npy: bad header",
        "An .npy file starts with `\\x93NUMPY`, a version (1.0, 2.0 or 3.0), the length of a header, and \
        the header: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}`. Write the array again \
        with numpy.";
    NPY_LENGTH = 123, "npy: data of the wrong length",
        "The bytes after the header are fewer or more than dtype and shape need. Usually the file was cut \
        off. Write it again.";
    ARRAYS_SIZE = 124, "arrays too large",
        "Arrays are unpacked in memory, so their total size is bounded before unpacking. Split the data \
        over several files.";

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

    // 0160..0169: the .snnb binary form.
    BINARY_MAGIC = 160, "binary form: not a .snnb file",
        "A .snnb file starts with the four bytes `SNNB`; this one does not, so nothing in it is \
        interpreted. Often a text file or another artifact was given. Give a file written by snnc.";
    BINARY_VERSION = 161, "binary form: unknown version",
        "The file was written in another version of the .snnb form. Versions are not converted \
        silently, because fields may have moved. Write the file again with this build from its \
        source, or use the build that wrote it.";
    BINARY_KIND = 162, "binary form: unknown kind",
        "Byte 4 of a .snnb file says what it holds: 0 network, 1 quantized, 2 mapped, 3 program, \
        4 recipe. Another value means that the file is damaged or newer than this build. Write it again.";
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
    BINARY_RECIPE = 167, "binary form: a recipe, not a network",
        "The file holds a recipe (kind 4): decisions about the quantization of some network, such as \
        scales and rounded weights. There is no network in it to work on. Give the network, and \
        the recipe as such.";
    BINARY_NO_RECIPE = 168, "binary form: not a recipe",
        "A recipe, the decisions that quantization follows, was expected, and the file holds something \
        else: a network or a program. Give the `recipe.snnb` of an artifact, or a recipe that a \
        calibration wrote.";
}
