//! Bytes in scripts: a read-only handle, so that a body is neither copied nor bound by the limits of script values.

use bytes::Bytes;
use rhai::{Blob, Dynamic, Engine, EvalAltResult, Position};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Bytes that a script holds and hands on: what `response.bytes` is, and what a request takes as a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk(pub Bytes);

impl Bulk {
    fn at(&self, index: i64) -> Fallible<i64> {
        let length = self.0.len();
        let place = if index < 0 { index + length as i64 } else { index };
        let byte = usize::try_from(place).ok().and_then(|place| self.0.get(place));
        byte.map(|byte| i64::from(*byte))
            .ok_or_else(|| EvalAltResult::ErrorArrayBounds(length, index, Position::NONE).into())
    }

    /// The bytes from `start`, `length` of them or as many as there are.
    fn slice(&self, start: i64, length: i64) -> Bulk {
        let start = usize::try_from(start).unwrap_or(0).min(self.0.len());
        let end = start.saturating_add(usize::try_from(length).unwrap_or(0)).min(self.0.len());
        Bulk(self.0.slice(start..end))
    }
}

/// The bytes of a handle or of a blob.
pub fn of(value: &Dynamic) -> Option<Bytes> {
    if value.is_blob() {
        return Some(Bytes::from(value.clone().cast::<Blob>()));
    }
    value.clone().try_cast::<Bulk>().map(|bulk| bulk.0)
}

/// Adds the type.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Bulk>("bytes")
        .register_get("len", |bulk: &mut Bulk| bulk.0.len() as i64)
        .register_fn("len", |bulk: &mut Bulk| bulk.0.len() as i64)
        .register_indexer_get(|bulk: &mut Bulk, index: i64| bulk.at(index))
        .register_fn("slice", |bulk: &mut Bulk, start: i64, length: i64| bulk.slice(start, length))
        .register_fn("to_blob", |bulk: &mut Bulk| -> Blob { bulk.0.to_vec() })
        .register_fn("to_text", |bulk: &mut Bulk| String::from_utf8_lossy(&bulk.0).into_owned())
        .register_fn("to_string", |bulk: &mut Bulk| format!("{} bytes", bulk.0.len()))
        .register_fn("to_debug", |bulk: &mut Bulk| format!("{} bytes", bulk.0.len()))
        .register_fn("==", |one: Bulk, other: Bulk| one == other)
        .register_fn("!=", |one: Bulk, other: Bulk| one != other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_stay_inside_and_indices_are_checked() {
        let bulk = Bulk(Bytes::from_static(b"hello"));
        assert_eq!(bulk.slice(1, 3), Bulk(Bytes::from_static(b"ell")));
        assert_eq!(bulk.slice(4, i64::MAX), Bulk(Bytes::from_static(b"o")));
        assert_eq!(bulk.slice(-3, 2), Bulk(Bytes::from_static(b"he")));
        assert_eq!(bulk.slice(99, -1), Bulk(Bytes::new()));
        assert_eq!(
            (bulk.at(-1).ok(), bulk.at(0).ok(), bulk.at(5).ok(), bulk.at(i64::MIN).ok()),
            (Some(111), Some(104), None, None)
        );
    }
}
