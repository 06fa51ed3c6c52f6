//! `certificate.json`: what was proved, and the hashes of the files that it was proved of.
//!
//! Described in `docs/certificate.md`. Who has these files and the checker can prove it again, without the
//! source, the passes or the writers ([`crate::verify::recheck()`]).

use super::manifest::FileEntry;
use super::{PROGRAM, SOURCE, TARGET};
use serde::Serialize;
use snnc_backends::NETX_FILE;
use snnc_backends::certify::Certificate;
use snnc_backends::certify::netx::NetxCertificate;

/// Names of the files that a certificate speaks about, as far as they are there.
pub const SUBJECTS: [&str; 4] = [PROGRAM, SOURCE, TARGET, NETX_FILE];

/// Contents of `certificate.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateFile {
    /// What was proved.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// What it was proved of: names of [`SUBJECTS`], in their order.
    pub files: Vec<FileEntry>,
    /// What was proved of `network.net`, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netx: Option<NetxCertificate>,
}

impl CertificateFile {
    /// The bytes of `certificate.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .expect("a certificate has string keys and finite numbers only");
        bytes.push(b'\n');
        bytes
    }
}
