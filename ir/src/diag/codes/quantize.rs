//! Quantization (04xx).

use super::codes;

codes! {
}
