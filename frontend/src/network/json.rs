//! The browser's own JSON, for the readers of `common`.

use common::codec::read::{self, Read};
use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// Reads a text; `None` for what is no JSON, or none of this shape.
pub(super) fn from_text<T: Read>(text: &str) -> Option<T> {
    from_value(JSON::parse(text).ok()?)
}

/// Reads what the browser has parsed.
pub(super) fn from_value<T: Read>(value: JsValue) -> Option<T> {
    T::read(&Json(value))
}

struct Json(JsValue);

impl read::Json for Json {
    fn field(&self, name: &str) -> Option<Self> {
        // What is no object has no fields, and says so by throwing.
        let field = Reflect::get(&self.0, &JsValue::from_str(name)).ok()?;
        (!field.is_undefined() && !field.is_null()).then_some(Self(field))
    }

    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "what does not come back the same is refused"
    )]
    fn number(&self) -> Option<u64> {
        // Beyond it a number of the browser's is not exact (2^53 - 1).
        const EXACT_MAX: f64 = 9_007_199_254_740_991.0;
        let number = self.0.as_f64().filter(|number| *number <= EXACT_MAX)?;
        let whole = number as u64;
        (whole as f64 == number).then_some(whole)
    }

    fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn list(&self) -> Option<Vec<Self>> {
        Some(self.0.dyn_ref::<Array>()?.iter().map(Self).collect())
    }
}
