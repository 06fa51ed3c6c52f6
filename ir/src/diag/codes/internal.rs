//! Internal errors (09xx).

use super::codes;

codes! {
}
