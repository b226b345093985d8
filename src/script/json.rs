//! JSON in scripts: a read-only handle into a shared document.
//!
//! What `response.json()` and `data` are. Parsing a large body into Rhai maps would copy it and hit every size limit, so
//! a script holds a document and a path into it; scalars become plain Rhai values as soon as they are reached. Writing
//! through a handle is an error.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext, Position};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A place in a JSON document that is an array or an object.
#[derive(Clone)]
pub struct Json {
    document: Arc<Value>,
    /// Positions from the root: indices into arrays and, by order, into objects.
    path: Arc<[u32]>,
}

impl Json {
    /// The value of a whole document, as scripts see it: scalars plain, the rest as a handle.
    pub fn dynamic(document: Arc<Value>) -> Dynamic {
        Json { document, path: Arc::from([]) }.scalar()
    }

    /// The value at this place.
    pub fn value(&self) -> &Value {
        self.path.iter().fold(&*self.document, |value, at| match value {
            Value::Array(items) => &items[*at as usize],
            Value::Object(fields) => fields.get_index_value(*at as usize),
            leaf => leaf,
        })
    }

    fn at(&self, index: usize) -> Json {
        let path = self.path.iter().copied().chain([index as u32]).collect();
        Json { document: Arc::clone(&self.document), path }
    }

    fn child(&self, index: usize) -> Dynamic {
        self.at(index).scalar()
    }

    fn scalar(self) -> Dynamic {
        match self.value() {
            Value::Null => Dynamic::UNIT,
            Value::Bool(truth) => Dynamic::from(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Dynamic::from(integer),
                None => Dynamic::from(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Dynamic::from(ImmutableString::from(text.as_str())),
            Value::Array(_) | Value::Object(_) => Dynamic::from(self),
        }
    }

    fn field(&self, name: &str) -> Dynamic {
        match self.value() {
            Value::Object(fields) => match fields.keys().position(|key| key == name) {
                Some(index) => self.child(index),
                None => Dynamic::UNIT,
            },
            _ => Dynamic::UNIT,
        }
    }

    fn item(&self, index: i64) -> Fallible<Dynamic> {
        let length = self.len();
        let at = if index < 0 { index + length } else { index };
        if !matches!(self.value(), Value::Array(_)) {
            return Err(format!("an object has no item {index}: name a field").into());
        }
        if at < 0 || at >= length {
            return Err(EvalAltResult::ErrorArrayBounds(length as usize, index, Position::NONE).into());
        }
        Ok(self.child(at as usize))
    }

    fn len(&self) -> i64 {
        match self.value() {
            Value::Array(items) => items.len() as i64,
            Value::Object(fields) => fields.len() as i64,
            _ => 0,
        }
    }

    /// The items of an array or the values of an object.
    pub fn children(&self) -> Vec<Dynamic> {
        (0..self.len() as usize).map(|index| self.child(index)).collect()
    }

    fn filter(&self, context: &NativeCallContext<'_>, keep: &FnPtr) -> Fallible<Array> {
        let mut kept = Array::new();
        for item in self.children() {
            if super::user::call(keep, context, vec![item.clone()])?.as_bool().unwrap_or(false) {
                kept.push(item);
            }
        }
        Ok(kept)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.value())
    }
}

/// Object fields by order; `serde_json` keeps that order with its `preserve_order` feature.
trait ByIndex {
    fn get_index_value(&self, index: usize) -> &Value;
}

impl ByIndex for serde_json::Map<String, Value> {
    fn get_index_value(&self, index: usize) -> &Value {
        self.values().nth(index).expect("the path was made from this document")
    }
}

/// A script value as JSON: for request bodies, and for what `setup` returns. Fails on what JSON cannot hold and on
/// nesting deeper than `depth`.
pub fn from_dynamic(value: &Dynamic, depth: usize) -> Result<Value, String> {
    if depth == 0 {
        return Err("nested too deeply".to_owned());
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = value.as_bool() {
        return Ok(Value::Bool(truth));
    }
    if let Ok(integer) = value.as_int() {
        return Ok(Value::from(integer));
    }
    if let Ok(float) = value.as_float() {
        return serde_json::Number::from_f64(float).map(Value::Number).ok_or_else(|| format!("JSON has no {float}"));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::String(text.as_str().to_owned()));
    }
    if let Ok(letter) = value.as_char() {
        return Ok(Value::String(letter.to_string()));
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().map(|item| from_dynamic(item, depth - 1)).collect::<Result<_, _>>().map(Value::Array);
    }
    if let Ok(fields) = value.as_map_ref() {
        let convert = |(key, value): (_, &Dynamic)| Ok((ToString::to_string(key), from_dynamic(value, depth - 1)?));
        return fields
            .iter()
            .map(|(key, value)| convert((key, value)))
            .collect::<Result<_, String>>()
            .map(Value::Object);
    }
    if let Some(json) = value.clone().try_cast::<Json>() {
        return Ok(json.value().clone());
    }
    if let Some(row) = value.read_lock::<super::row::Row>() {
        return Ok(row.value());
    }
    if let Some(span) = value.clone().try_cast::<super::duration::Span>() {
        return Ok(Value::from(span.0 as f64 / 1e6));
    }
    Err(format!("{} cannot be JSON", super::error::type_name(value)))
}

/// JSON as plain script values, maps and arrays included: where a script wants to change it (`json.to_map()`).
fn thaw(value: &Value) -> Dynamic {
    match value {
        Value::Array(items) => Dynamic::from_array(items.iter().map(thaw).collect()),
        Value::Object(fields) => {
            let fields: Map = fields.iter().map(|(key, value)| (key.as_str().into(), thaw(value))).collect();
            Dynamic::from_map(fields)
        }
        scalar => Json::dynamic(Arc::new(scalar.clone())),
    }
}

/// Adds the type and what can be done with it.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Json>("json")
        .register_iterator::<Json>()
        .register_indexer_get(|json: &mut Json, field: ImmutableString| json.field(&field))
        .register_indexer_get(|json: &mut Json, index: i64| json.item(index))
        .register_indexer_set(|json: &mut Json, field: ImmutableString, new: Dynamic| {
            fed_back(&json.field(&field), &new)
        })
        .register_indexer_set(|json: &mut Json, index: i64, new: Dynamic| fed_back(&json.item(index)?, &new))
        .register_fn("len", |json: &mut Json| json.len())
        .register_get("len", |json: &mut Json| json.len())
        .register_fn("is_empty", |json: &mut Json| json.len() == 0)
        .register_fn("is_array", |json: &mut Json| json.value().is_array())
        .register_fn("is_object", |json: &mut Json| json.value().is_object())
        .register_fn("contains", |json: &mut Json, key: ImmutableString| match json.value() {
            Value::Object(fields) => fields.contains_key(key.as_str()),
            Value::Array(items) => items.iter().any(|item| item.as_str() == Some(key.as_str())),
            _ => false,
        })
        .register_fn("contains", |json: &mut Json, number: i64| match json.value() {
            Value::Array(items) => items.iter().any(|item| item.as_i64() == Some(number)),
            _ => false,
        })
        .register_fn("keys", |json: &mut Json| -> Array {
            match json.value() {
                Value::Object(fields) => {
                    fields.keys().map(|key| Dynamic::from(ImmutableString::from(key.as_str()))).collect()
                }
                _ => Array::new(),
            }
        })
        .register_fn("values", |json: &mut Json| -> Array { json.children() })
        .register_fn("get", |json: &mut Json, field: ImmutableString| json.field(&field))
        .register_fn("to_map", |json: &mut Json| thaw(json.value()))
        .register_fn("to_array", |json: &mut Json| thaw(json.value()))
        .register_fn("to_json", |json: &mut Json| json.to_string())
        .register_fn("to_string", |json: &mut Json| json.to_string())
        .register_fn("to_debug", |json: &mut Json| json.to_string())
        .register_fn("==", |a: Json, b: Json| a.value() == b.value())
        .register_fn("!=", |a: Json, b: Json| a.value() != b.value())
        .register_fn("filter", |context: NativeCallContext<'_>, json: &mut Json, keep: FnPtr| {
            json.filter(&context, &keep)
        })
        .register_fn("map", |context: NativeCallContext<'_>, json: &mut Json, change: FnPtr| -> Fallible<Array> {
            json.children().into_iter().map(|item| super::user::call(&change, &context, vec![item])).collect()
        })
        .register_fn("find", |context: NativeCallContext<'_>, json: &mut Json, keep: FnPtr| -> Fallible<Dynamic> {
            Ok(json.filter(&context, &keep)?.into_iter().next().unwrap_or(Dynamic::UNIT))
        });
}

impl IntoIterator for Json {
    type Item = Dynamic;
    type IntoIter = std::vec::IntoIter<Dynamic>;
    fn into_iter(self) -> Self::IntoIter {
        self.children().into_iter()
    }
}

/// After `data.list.len()` Rhai writes `data.list` back, in case the method has changed it: what is the same may be
/// written, anything else is refused.
pub(super) fn fed_back(old: &Dynamic, new: &Dynamic) -> Fallible<()> {
    let same = match (old.read_lock::<Json>(), new.read_lock::<Json>()) {
        (Some(old), Some(new)) => Arc::ptr_eq(&old.document, &new.document) && old.path == new.path,
        (None, None) => match (old.as_immutable_string_ref(), new.as_immutable_string_ref()) {
            (Ok(old), Ok(new)) => *old == *new,
            (Err(_), Err(_)) => from_dynamic(old, 1).ok().is_some_and(|old| from_dynamic(new, 1).ok() == Some(old)),
            _ => false,
        },
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err("this JSON is read-only, all users share it: copy it with `.to_map()` to change it".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(script: &str, json: &str) -> Fallible<Dynamic> {
        let mut engine = Engine::new();
        register(&mut engine);
        let mut scope = rhai::Scope::new();
        let document = serde_json::from_str(json).expect("valid JSON");
        scope.push_dynamic("data", Json::dynamic(Arc::new(document)));
        engine.eval_with_scope(&mut scope, script)
    }

    #[test]
    fn a_document_indexes_iterates_and_prints_like_the_map_it_was() {
        let json = r#"{"items":[{"id":7,"price":1.5},{"id":8,"tags":["a"]}],"name":"x","none":null}"#;
        let truth = |script: &str| eval(script, json).expect(script).as_bool().expect(script);
        assert!(truth(r#"data.items[1].id == 8 && data["name"] == "x" && data.items[-1].tags[0] == "a""#));
        assert!(truth("data.none == () && data.missing == () && data.items.len() == 2 && data.keys().len() == 3"));
        assert!(truth("let n = 0; for item in data.items { n += item.id; } n == 15"));
        assert!(truth(r#"data.items[0].to_json() == "{\"id\":7,\"price\":1.5}""#));
        assert!(truth("data.items.to_array()[0].id == 7"));
    }

    #[test]
    fn methods_of_what_is_inside_are_no_writing() {
        let json = r#"{"list":[{"id":1},{"id":2}],"text":"Hello","n":-5,"f":1.5}"#;
        let truth = |script: &str| {
            eval(&format!("fn f(data) {{ {script} }} f(data)"), json).expect(script).as_bool().expect(script)
        };
        assert!(truth("data.list.len() == 2 && data[\"list\"].len() == 2 && data.list[0].keys().len() == 1"));
        assert!(truth("data.list.filter(|p| p.id == 2).len() == 1 && data.list.map(|p| p.id) == [1, 2]"));
        assert!(truth("data.text.len() == 5 && data.text.to_upper() == \"HELLO\" && data.text.contains(\"ell\")"));
        assert!(truth("data.text.sub_string(1, 2) == \"el\" && data.n.abs() == 5 && data.f.floor() == 1.0"));
    }

    #[test]
    fn writing_is_an_error_that_says_how_to_copy() {
        for script in ["data.name = 1;", "data[\"new\"] = 1;", "data.items[0] = 2;"] {
            let error = eval(script, r#"{"name":"x","items":[1]}"#).expect_err(script).to_string();
            assert!(error.contains("read-only") && error.contains("to_map"), "{script}: {error}");
        }
    }

    #[test]
    fn script_values_become_json_or_say_why_not() {
        let value = |script: &str| Engine::new().eval::<Dynamic>(script).expect("evaluates");
        assert_eq!(
            from_dynamic(&value("#{a: [1, 2.5, true, (), 'c'], b: \"x\"}"), 8).expect("JSON").to_string(),
            r#"{"a":[1,2.5,true,null,"c"],"b":"x"}"#
        );
        assert!(
            from_dynamic(&value("let a = []; for i in 0..20 { a = [a]; } a"), 8)
                .expect_err("too deep")
                .contains("deep")
        );
        assert!(from_dynamic(&value("|x| x"), 8).expect_err("a closure").contains("cannot be JSON"));
    }
}
