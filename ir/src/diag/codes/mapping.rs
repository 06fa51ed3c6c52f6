//! Mapping, schedule and limits (05xx).

use super::codes;

codes! {
}
