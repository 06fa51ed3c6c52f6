//! Random tensors, and the file that holds them.

use serde_json::{Value, json};

/// Tensors under construction, in the layout of a safetensors file.
#[derive(Default)]
pub(crate) struct Tensors {
    entries: Vec<(String, Vec<usize>)>,
    bytes: Vec<u8>,
    random: Random,
}

impl Tensors {
    /// Adds a tensor of numbers around `center`, with the standard deviation `spread`.
    pub(crate) fn normal(&mut self, name: &str, shape: &[usize], center: f32, spread: f32) {
        for _ in 0..shape.iter().product() {
            let value = center + spread * self.random.normal();
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.entries.push((name.to_owned(), shape.to_vec()));
    }

    /// The bytes of the file: length of the header, header, values.
    pub(crate) fn safetensors(&self) -> Vec<u8> {
        let mut header = serde_json::Map::new();
        let mut offset = 0;
        for (name, shape) in &self.entries {
            let end = offset + 4 * shape.iter().product::<usize>();
            let entry: Value =
                json!({"dtype": "F32", "shape": shape, "data_offsets": [offset, end]});
            header.insert(name.clone(), entry);
            offset = end;
        }
        let header = Value::Object(header).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(&self.bytes);
        file
    }
}

/// A linear congruential generator with the constants of Knuth's MMIX: the same on every machine.
#[derive(Default)]
struct Random(u64);

impl Random {
    /// A number in −0.5..0.5; its 24 bits are exact.
    fn uniform(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[expect(clippy::cast_precision_loss, reason = "24 bits are exact")]
        let unit = (self.0 >> 40) as f32 / 16_777_216.0;
        unit - 0.5
    }

    /// The sum of twelve uniform numbers: mean 0, variance 1, and no function whose last bit depends on a
    /// library.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum()
    }
}
