//! Equivalence (07xx).

use super::codes;

codes! {
}
