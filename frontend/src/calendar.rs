//! Moments as people read them, by the browser's own calendar and languages.

use std::cell::RefCell;

use common::Timestamp;
use js_sys::{Array, Date, Intl::DateTimeFormat, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::{
    i18n::{Language, Text},
    state::Moment,
};

const DAY_MS: f64 = 86_400_000.0;
const MINUTE_MS: f64 = 60_000.0;

/// How much of a moment is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Time,
    Day,
    Date,
    Full,
}

thread_local! {
    static FORMATS: RefCell<Vec<(Language, Form, DateTimeFormat)>> = const { RefCell::new(Vec::new()) };
}

/// The present moment.
#[must_use]
pub fn present() -> Moment {
    moment(Date::now())
}

/// A moment that the server wrote; the present one when it cannot be read.
#[must_use]
pub fn from_timestamp(timestamp: &Timestamp) -> Moment {
    let ms = Date::parse(timestamp.as_str());
    if ms.is_nan() { present() } else { moment(ms) }
}

/// The time of day.
#[must_use]
pub fn time(moment: Moment, language: Language) -> String {
    format(moment, language, Form::Time)
}

/// Everything: for titles.
#[must_use]
pub fn full(moment: Moment, language: Language) -> String {
    format(moment, language, Form::Full)
}

/// The time of day, today; the date of every other day.
#[must_use]
pub fn short(of: Moment, language: Language) -> String {
    let form = if present().day == of.day { Form::Time } else { Form::Date };
    format(of, language, form)
}

/// Today, yesterday, or the whole date.
#[must_use]
pub fn day(of: Moment, language: Language) -> String {
    match present().day - of.day {
        0 => language.text(Text::Today).to_owned(),
        1 => language.text(Text::Yesterday).to_owned(),
        _ => format(of, language, Form::Day),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "dates fit")]
fn moment(ms: f64) -> Moment {
    let offset = Date::new(&JsValue::from_f64(ms)).get_timezone_offset() * MINUTE_MS;
    Moment { ms: ms as i64, day: ((ms - offset) / DAY_MS).floor() as i32 }
}

#[expect(clippy::cast_precision_loss, reason = "dates fit")]
fn format(moment: Moment, language: Language, form: Form) -> String {
    let date = Date::new(&JsValue::from_f64(moment.ms as f64));
    let format = FORMATS.with_borrow_mut(|formats| {
        let known = formats.iter().find(|(of, with, _)| *of == language && *with == form);
        if let Some((_, _, format)) = known {
            return format.clone();
        }
        let format = formatter(language.tag(), form);
        formats.push((language, form, format.clone()));
        format
    });
    let written = format.format().call1(&format, &date);
    written.ok().and_then(|text| text.as_string()).unwrap_or_default()
}

fn formatter(tag: &str, form: Form) -> DateTimeFormat {
    let options = Object::new();
    let set = |key: &str, value: &str| {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&options, &JsValue::from_str(key), &JsValue::from_str(value));
    };
    match form {
        Form::Time => set("timeStyle", "short"),
        Form::Day => set("dateStyle", "full"),
        Form::Date => set("dateStyle", "medium"),
        Form::Full => {
            set("dateStyle", "full");
            set("timeStyle", "medium");
        }
    }
    DateTimeFormat::new(&Array::of1(&JsValue::from_str(tag)), &options)
}
