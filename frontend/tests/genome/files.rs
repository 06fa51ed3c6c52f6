//! Side-car files and the JSON file itself: what is read, and everything that can be wrong.

use crate::cases::BASE;
use sha2::{Digest, Sha256};
use snnc_frontend::arrays::{Array, ArrayData, read_npz, write_npz};
use snnc_frontend::{Loaded, read_genome, read_genome_bytes};
use snnc_ir::Diagnostics;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The base genome with its tensors in `file`; `more` are further fields of `tensors`.
pub(crate) fn genome(file: &str, format: &str, more: &str) -> String {
    let start = BASE.find(r#"{"inline""#).unwrap();
    let end = BASE.find(r#"  "genes""#).unwrap();
    let tensors = format!(r#"{{"file": "{file}", "format": "{format}"{more}}},"#);
    format!("{}{tensors}\n{}", &BASE[..start], &BASE[end..])
}

/// The tensors of the base genome.
pub(crate) fn tensors() -> Vec<(String, Array)> {
    let base: serde_json::Value = serde_json::from_str(BASE).unwrap();
    let sizes = |v: &serde_json::Value| -> Vec<f64> {
        v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let tensor = |v: &serde_json::Value| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small extents"
        )]
        let shape = sizes(&v["shape"]).into_iter().map(|d| d as usize).collect();
        Array { shape, data: ArrayData::F64(sizes(&v["values"])) }
    };
    let inline = base["tensors"]["inline"].as_object().unwrap();
    inline.iter().map(|(name, v)| (name.clone(), tensor(v))).collect()
}

/// A safetensors file: entries of name, dtype, shape, bytes.
pub(crate) fn safetensors(entries: &[(&str, &str, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in entries {
        let range = [data.len(), data.len() + bytes.len()];
        let entry = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": range});
        header.insert((*name).to_owned(), entry);
        data.extend_from_slice(bytes);
    }
    with_header(&serde_json::Value::Object(header).to_string(), &data)
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// The tensors of the base genome as a safetensors file.
pub(crate) fn base_safetensors() -> Vec<u8> {
    let tensors = tensors();
    let entries: Vec<_> = tensors
        .iter()
        .map(|(name, array)| {
            let bytes = array.to_f64().unwrap().iter().flat_map(|x| x.to_le_bytes()).collect();
            (name.as_str(), "F64", array.shape.clone(), bytes)
        })
        .collect();
    safetensors(&entries)
}

/// Reads a genome in a folder of its own, next to `sidecar`.
fn read_with(genome: &str, sidecar: &[u8]) -> Result<Loaded, Diagnostics> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("t.bin"), sidecar).unwrap();
    // Findings name files as the user gave them; the folder differs from run to run.
    let shown = |d: &snnc_ir::Diagnostic| {
        let mut d = d.clone();
        let root = folder.path().display().to_string();
        d.place.file = d.place.file.map(|f| f.replace(&root, "."));
        d.message = d.message.replace(&root, ".");
        d
    };
    let found = read_genome_bytes(genome.as_bytes(), folder.path(), "g.json");
    found.map_err(|all| all.iter().map(shown).collect())
}

fn must_read(found: Result<Loaded, Diagnostics>) -> Loaded {
    found.unwrap_or_else(|d| panic!("{d}"))
}

#[test]
fn every_container_gives_the_same_network() {
    let inline = must_read(read_genome_bytes(BASE.as_bytes(), Path::new(""), "g.json"));
    let npz = must_read(read_with(&genome("t.bin", "npz", ""), &write_npz(&tensors()).unwrap()));
    let safetensors =
        must_read(read_with(&genome("t.bin", "safetensors", ""), &base_safetensors()));
    assert_eq!(inline.network, npz.network);
    assert_eq!(inline.network, safetensors.network);
    assert_eq!(inline.account, safetensors.account);
}

#[test]
fn every_number_type_gives_the_same_network() {
    let inline = must_read(read_genome_bytes(BASE.as_bytes(), Path::new(""), "g.json"));
    // All values of the base are small integers or halves; -1 keeps one tensor signed.
    #[expect(clippy::cast_possible_truncation, reason = "the values are small integers")]
    let recode = |dtype: &str, x: f64| -> Vec<u8> {
        match dtype {
            "F32" => (x as f32).to_le_bytes().to_vec(),
            "BF16" => (x as f32).to_le_bytes()[2..].to_vec(),
            "I8" => (x as i8).to_le_bytes().to_vec(),
            "I16" => (x as i16).to_le_bytes().to_vec(),
            "I32" => (x as i32).to_le_bytes().to_vec(),
            "I64" => (x as i64).to_le_bytes().to_vec(),
            _ => x.to_le_bytes().to_vec(),
        }
    };
    for dtype in ["F64", "F32", "BF16", "I8", "I16", "I32", "I64"] {
        let tensors = tensors();
        let entries: Vec<_> = tensors
            .iter()
            .map(|(name, array)| {
                let values = array.to_f64().unwrap();
                let whole = values.iter().all(|x| x.fract().abs() < f64::EPSILON);
                let dtype = if dtype.starts_with('I') && !whole { "F64" } else { dtype };
                let bytes = values.iter().flat_map(|&x| recode(dtype, x)).collect();
                (name.as_str(), dtype, array.shape.clone(), bytes)
            })
            .collect();
        let read =
            must_read(read_with(&genome("t.bin", "safetensors", ""), &safetensors(&entries)));
        assert_eq!(inline.network, read.network, "{dtype}");
    }
}

#[test]
fn the_hash_covers_both_files() {
    let (genome, sidecar) = (genome("t.bin", "safetensors", ""), base_safetensors());
    let hash = must_read(read_with(&genome, &sidecar)).hash;
    assert_eq!(hash, blake3::hash(&[genome.as_bytes(), &sidecar].concat()).to_hex().to_string());
}

#[test]
fn a_right_sha256_is_accepted_in_either_case() {
    let sidecar = base_safetensors();
    let hex: String = Sha256::digest(&sidecar).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    });
    let genome = genome("t.bin", "safetensors", &format!(r#", "sha256": "{hex}""#));
    must_read(read_with(&genome, &sidecar));
}

#[test]
fn leftovers_are_warnings() {
    let mut all = tensors();
    let extra = Array { shape: vec![1], data: ArrayData::I64(vec![7]) };
    all.push(("fc.extra".to_owned(), extra.clone()));
    all.push(("bn.num_batches_tracked".to_owned(), extra));
    let genome = genome("t.bin", "npz", "")
        .replace(r#""version": "1.0""#, r#""version": "1.7""#)
        .replace(r#""encodings": {"#, r#""encodings": {"spare": {"tensor": "enc.in"}, "#)
        .replace(
            r#""neurons": {"#,
            r#""neurons": {"m": {"model": "if", "threshold": 1, "compare": "ge",
          "reset": {"kind": "subtract"}, "v_init": 0}, "#,
        );
    let loaded = must_read(read_with(&genome, &write_npz(&all).unwrap()));
    insta::assert_snapshot!(loaded.warnings);
}

/// A wrong side-car file: name, format, further fields of `tensors`, bytes.
type FileCase = (&'static str, u16, &'static str, &'static str, Vec<u8>);

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// An uncompressed archive of one member.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(name, options.compression_method(zip::CompressionMethod::Stored)).unwrap();
    std::io::Write::write_all(&mut zip, content).unwrap();
    zip.finish().unwrap().into_inner()
}

fn one(header: &str, data: &[u8]) -> Vec<u8> {
    archive("a.npy", &npy(header, data))
}

fn file_cases() -> Vec<FileCase> {
    let st = "safetensors";
    let good = base_safetensors();
    let nan = {
        let mut all = tensors();
        all[0].1.data = ArrayData::F64(vec![f64::NAN; all[0].1.data.len()]);
        write_npz(&all).unwrap()
    };
    let huge = {
        let mut all = tensors();
        all[0].1.data = ArrayData::I64(vec![i64::MAX; all[0].1.data.len()]);
        write_npz(&all).unwrap()
    };
    // The checksum of the archive is that of the data before the change.
    let mut damaged = one("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", b"1234");
    let data = damaged.windows(4).position(|w| w == b"1234").unwrap();
    damaged[data] ^= 1;
    vec![
        ("empty file", 110, st, "", vec![]),
        ("header beyond the file", 110, st, "", good[..40].to_vec()),
        ("header of 2^60 bytes", 110, st, "", (1_u64 << 60).to_le_bytes().to_vec()),
        ("header of no JSON", 110, st, "", with_header("{]", b"")),
        ("header of a list", 110, st, "", with_header("[]", b"")),
        ("tensor twice", 104, st, "", with_header(r#"{"a": 1, "a": 2}"#, b"")),
        ("entry of a number", 111, st, "", with_header(r#"{"a": 1}"#, b"")),
        ("entry without dtype", 111, st, "", with_header(r#"{"a": {"shape": []}}"#, b"")),
        (
            "negative extent",
            111,
            st,
            "",
            with_header(r#"{"a": {"dtype": "U8", "shape": [-1], "data_offsets": [0, 1]}}"#, b"1"),
        ),
        (
            "range beyond the file",
            111,
            st,
            "",
            with_header(r#"{"a": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}"#, b"1"),
        ),
        (
            "range unlike the shape",
            111,
            st,
            "",
            with_header(
                r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#,
                b"1234",
            ),
        ),
        (
            "shape that overflows",
            111,
            st,
            "",
            with_header(
                r#"{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 4]}}"#,
                b"1234",
            ),
        ),
        (
            "three offsets",
            111,
            st,
            "",
            with_header(r#"{"a": {"dtype": "U8", "shape": [], "data_offsets": [0, 1, 2]}}"#, b"12"),
        ),
        (
            "overlap",
            112,
            st,
            "",
            with_header(
                r#"{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
                    "b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}"#,
                b"123",
            ),
        ),
        (
            "gap and rest",
            112,
            st,
            "",
            with_header(r#"{"a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}"#, b"123"),
        ),
        (
            "type that is not read",
            113,
            st,
            "",
            safetensors(&[("c.weight", "F8_E4M3", vec![8], vec![0; 8])]),
        ),
        ("boolean of 2", 114, st, "", safetensors(&[("c.weight", "BOOL", vec![2], vec![1, 2])])),
        ("no archive", 120, "npz", "", good.clone()),
        ("damaged archive", 120, "npz", "", damaged),
        ("archive with a text", 121, "npz", "", archive("readme.txt", b"hello")),
        ("member without magic", 122, "npz", "", archive("a.npy", b"NUMPY\0\0\0\0\0")),
        ("member cut in the header", 122, "npz", "", archive("a.npy", b"\x93NUMPY\x01\0\xff\0{}")),
        ("version 9", 122, "npz", "", archive("a.npy", b"\x93NUMPY\x09\0\0\0")),
        ("header of 4 GiB", 122, "npz", "", archive("a.npy", b"\x93NUMPY\x02\0\xff\xff\xff\xff{}")),
        ("header of no dictionary", 122, "npz", "", one("(3, 4)", b"")),
        (
            "header without shape",
            122,
            "npz",
            "",
            one("{'descr': '<f4', 'fortran_order': False}", b""),
        ),
        (
            "header with more",
            122,
            "npz",
            "",
            one("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", b"1234"),
        ),
        (
            "shape that overflows, npy",
            122,
            "npz",
            "",
            one("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9999999999)}", b""),
        ),
        (
            "too few data",
            123,
            "npz",
            "",
            one("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", b"1234"),
        ),
        (
            "too many data",
            123,
            "npz",
            "",
            one("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", b"123456789"),
        ),
        (
            "array of 8 GiB",
            124,
            "npz",
            "",
            one("{'descr': '<f8', 'fortran_order': False, 'shape': (1073741824,)}", b""),
        ),
        (
            "objects",
            113,
            "npz",
            "",
            one("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"1"),
        ),
        (
            "text",
            113,
            "npz",
            "",
            one("{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", b"1"),
        ),
        (
            "complex",
            113,
            "npz",
            "",
            one("{'descr': '<c8', 'fortran_order': False, 'shape': ()}", b"1"),
        ),
        (
            "records",
            113,
            "npz",
            "",
            one("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", b"1234"),
        ),
        ("not a number", 232, "npz", "", nan),
        ("integer beyond f64", 232, "npz", "", huge),
        (
            "other hash",
            235,
            st,
            r#", "sha256": "0000000000000000000000000000000000000000000000000000000000000000""#,
            good.clone(),
        ),
        ("short hash", 208, st, r#", "sha256": "abc""#, good.clone()),
        (
            "tensor inline and in the file",
            233,
            st,
            r#", "inline": {"c.weight": {"shape": [1], "values": [1]}}"#,
            good,
        ),
    ]
}

#[test]
fn wrong_files() {
    let mut text = String::new();
    for (name, code, format, more, bytes) in file_cases() {
        let Err(found) = read_with(&genome("t.bin", format, more), &bytes) else {
            panic!("{name}: accepted")
        };
        let code = format!("SNN{code:04}");
        let Some(demanded) = found.iter().find(|d| d.code.to_string() == code) else {
            panic!("{name}: expected {code}, found\n{found}")
        };
        writeln!(text, "## {name}\n{demanded}\n").unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn paths_stay_in_the_folder() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("t.bin"), base_safetensors()).unwrap();
    let folder = outside.path().join("inner");
    fs::create_dir(&folder).unwrap();
    let code = |file: &str| {
        let found =
            read_genome_bytes(genome(file, "safetensors", "").as_bytes(), &folder, "g.json");
        let found = found.map(|l| l.hash).unwrap_err();
        found.iter().next().unwrap().code.to_string()
    };
    for file in ["../t.bin", "/etc/hostname", "..", ".", "", "a/b", "a\\\\b", "c:t.bin", "t\\u0000"]
    {
        assert_eq!(code(file), "SNN0234", "{file}");
    }
    assert_eq!(code("absent.bin"), "SNN0101");
    fs::create_dir(folder.join("dir.bin")).unwrap();
    assert_eq!(code("dir.bin"), "SNN0101");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.path().join("t.bin"), folder.join("link.bin")).unwrap();
        assert_eq!(code("link.bin"), "SNN0234");
        // A link to a neighbor stays inside.
        fs::write(folder.join("real.bin"), base_safetensors()).unwrap();
        std::os::unix::fs::symlink("real.bin", folder.join("inner.bin")).unwrap();
        let genome = genome("inner.bin", "safetensors", "");
        must_read(read_genome_bytes(genome.as_bytes(), &folder, "g.json"));
    }
}

#[test]
fn a_genome_in_the_current_folder_finds_its_tensors() {
    // `read_genome("g.json")` has an empty parent folder, which is the current one: the error is
    // that of an absent file there, not of an absent folder.
    let genome = genome("no-such-file.bin", "npz", "");
    let found = read_genome_bytes(genome.as_bytes(), Path::new(""), "g.json").unwrap_err();
    let first = found.iter().next().unwrap();
    assert!(first.message.contains("no-such-file.bin"), "{first}");
}

#[test]
fn wrong_json() {
    let cases: [(&str, u16, Vec<u8>); 9] = [
        ("empty", 103, vec![]),
        ("trailing comma", 103, b"{\n  \"a\": [1, 2,]\n}".to_vec()),
        ("not a number", 103, b"{\n  \"a\": NaN\n}".to_vec()),
        ("cut off", 103, BASE.as_bytes()[..BASE.len() / 2].to_vec()),
        ("more after the end", 103, b"{} {}".to_vec()),
        ("number beyond f64", 103, b"[1e999]".to_vec()),
        ("not UTF-8", 103, b"{\"a\": \"\xff\"}".to_vec()),
        ("key twice", 104, b"{\"a\": {\n \"b\": 1,\n \"b\": 1}}".to_vec()),
        ("a list", 201, b"[]".to_vec()),
    ];
    let mut text = String::new();
    for (name, code, json) in cases {
        let found = read_genome_bytes(&json, Path::new(""), "g.json").unwrap_err();
        let first = found.iter().next().unwrap();
        assert_eq!(first.code.to_string(), format!("SNN{code:04}"), "{name}");
        writeln!(text, "## {name}\n{found}").unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn files_are_bounded_and_regular() {
    let folder = TempDir::new().unwrap();
    let code = |path: &Path| {
        let found = read_genome(path).map(|l| l.hash).unwrap_err();
        found.iter().next().unwrap().code.to_string()
    };
    assert_eq!(code(&folder.path().join("absent.json")), "SNN0101");
    assert_eq!(code(folder.path()), "SNN0101");
    let large = folder.path().join("large.json");
    // A sparse file: nine MiB of nothing.
    fs::File::create(&large).unwrap().set_len(9 << 20).unwrap();
    assert_eq!(code(&large), "SNN0102");
    let found = read_npz(&folder.path().join("absent.npz")).unwrap_err();
    assert_eq!(found.iter().next().unwrap().code.to_string(), "SNN0101");
}

/// Codes that the file cases above demand.
pub(crate) fn codes() -> Vec<u16> {
    let mut codes: Vec<u16> = file_cases().into_iter().map(|case| case.1).collect();
    codes.extend([101, 102, 103, 104, 234]);
    // Warnings of `leftovers_are_warnings`.
    codes.extend([203, 212]);
    codes
}
