//! Networks (03xx).

use super::codes;

codes! {
}
