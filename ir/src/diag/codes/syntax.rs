//! Files and syntax (01xx).

use super::codes;

codes! {
}
