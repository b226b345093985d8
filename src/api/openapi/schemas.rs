//! The schemas of answers and bodies: collected while the rows are gone through, named and put into the document at the end.
//!
//! Answers are described as they are serialised and bodies as they are read, so one type may have two schemas. It knows no rows.

use crate::api::row::SchemaOf;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where the schemas of answers and of bodies are, until both have their names.
const ANSWERS: &str = "/components/answers";
const BODIES: &str = "/components/bodies";
const SCHEMAS: &str = "#/components/schemas/";

/// What the rows have named so far.
pub(super) struct Schemas {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let of = |settings: SchemaSettings, place: &'static str| {
            let settings = settings.with(|settings| {
                settings.definitions_path = place.into();
                settings.meta_schema = None;
            });
            settings.into_generator()
        };
        Schemas {
            answers: of(SchemaSettings::draft2020_12().for_serialize(), ANSWERS),
            bodies: of(SchemaSettings::draft2020_12().for_deserialize(), BODIES),
        }
    }

    /// The schema of what is answered, or a reference to it.
    pub(super) fn answer(&mut self, of: SchemaOf) -> Value {
        of(&mut self.answers).to_value()
    }

    /// The schema of what is taken, or a reference to it.
    pub(super) fn body(&mut self, of: SchemaOf) -> Value {
        of(&mut self.bodies).to_value()
    }

    /// Puts them all into a document whose references point to them.
    pub(super) fn settle(mut self, document: &mut Value) {
        let mut answers = self.answers.take_definitions(true);
        answers.values_mut().for_each(never_null);
        let bodies = self.bodies.take_definitions(true);
        let mut moved = BTreeMap::new();
        let mut settled: Map<String, Value> = Map::new();
        for (place, definitions) in [(ANSWERS, answers), (BODIES, bodies)] {
            for (known, schema) in definitions {
                let name = free(&known, &schema, &settled);
                moved.insert(format!("#{place}/{known}"), format!("{SCHEMAS}{name}"));
                settled.insert(name, schema);
            }
        }
        settled.sort_keys();
        document["components"]["schemas"] = Value::Object(settled);
        point(document, &moved);
    }
}

/// A name for a schema: that of its type without `Wire`, where no other schema has it.
fn free(known: &str, schema: &Value, settled: &Map<String, Value>) -> String {
    let short = known.replace("Wire", "");
    let candidates = [short.clone(), known.to_owned(), format!("{short}Body")].into_iter();
    let numbered = (2..).map(|number| format!("{short}{number}"));
    let is_free = |name: &String| settled.get(name).is_none_or(|other| other == schema);
    candidates.chain(numbered).find(is_free).expect("numbers do not end")
}

/// Lets references point to where the schemas are now.
fn point(value: &mut Value, moved: &BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(place)) = map.get_mut("$ref")
                && let Some(now) = moved.get(place)
            {
                place.clone_from(now);
            }
            map.values_mut().for_each(|value| point(value, moved));
        }
        Value::Array(all) => all.iter_mut().for_each(|value| point(value, moved)),
        _ => {}
    }
}

/// A field that may be missing is never `null`: that is what its `skip_serializing_if` is for.
fn never_null(schema: &mut Value) {
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if !required.iter().any(|one| one == name.as_str())
            && let Value::Object(field) = field
        {
            without_null(field);
        }
    }
}

fn without_null(field: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            field.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = field.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(any)) = field.get_mut("anyOf") {
        any.retain(|one| one["type"] != "null");
        if let [Value::Object(only)] = &any[..] {
            let only = only.clone();
            field.remove("anyOf");
            field.extend(only);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct InnerWire {
        /// How many.
        #[serde(default)]
        count: u8,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct OuterWire {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        nothing: Option<bool>,
        /// Of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        inner: Option<InnerWire>,
    }

    #[test]
    fn both_sides_of_a_type_are_told_and_what_is_skipped_is_never_null() {
        let mut schemas = Schemas::new();
        let answer = schemas.answer(SchemaGenerator::subschema_for::<OuterWire>);
        let body = schemas.body(SchemaGenerator::subschema_for::<OuterWire>);
        let mut document = json!({"components": {}, "answer": answer, "body": body});
        schemas.settle(&mut document);
        assert_eq!(document["answer"], json!({"$ref": "#/components/schemas/Outer"}));
        assert_eq!(document["body"], json!({"$ref": "#/components/schemas/OuterWire"}));
        let outer = &document["components"]["schemas"]["Outer"];
        assert_eq!(outer["required"], json!(["nothing"]));
        assert_eq!(outer["properties"]["text"], json!({"type": "string"}));
        assert_eq!(outer["properties"]["nothing"], json!({"type": ["boolean", "null"]}));
        assert_eq!(
            outer["properties"]["inner"],
            json!({"description": "Of it.", "$ref": "#/components/schemas/Inner"})
        );
        let taken = &document["components"]["schemas"]["OuterWire"];
        assert_eq!(taken["properties"]["text"], json!({"type": ["string", "null"]}));
    }
}
