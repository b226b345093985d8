//! A row of a CSV feed in scripts: a read-only handle into the shared table, so that a row costs two words until a cell
//! of it is asked for.
//!
//! It indexes, iterates, prints and serialises as the map it looks like. A column that does not exist is an error, unlike
//! a missing key of a map: the columns of a file are known, so a wrong name is a mistake.

use super::json;
use crate::diagnostic::did_you_mean;
use crate::feed::Table;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, Position};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// One row of a table.
#[derive(Clone)]
pub struct Row {
    table: Arc<Table>,
    at: usize,
}

impl Row {
    /// A row that the table has.
    pub fn new(table: Arc<Table>, at: usize) -> Self {
        Row { table, at }
    }

    fn cell(&self, column: usize) -> Dynamic {
        Dynamic::from(ImmutableString::from(self.table.cell(self.at, column)))
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.table.columns().iter().position(|column| column == name)
    }

    fn field(&self, name: &str) -> Fallible<Dynamic> {
        match self.column(name) {
            Some(column) => Ok(self.cell(column)),
            None => Err(unknown_column(name, self.table.columns()).into()),
        }
    }

    fn item(&self, index: i64) -> Fallible<Dynamic> {
        let width = self.table.columns().len();
        let at = if index < 0 { index + width as i64 } else { index };
        let column = usize::try_from(at).ok().filter(|column| *column < width);
        let column = column.ok_or_else(|| EvalAltResult::ErrorArrayBounds(width, index, Position::NONE))?;
        Ok(self.cell(column))
    }

    fn cells(&self) -> Vec<Dynamic> {
        (0..self.table.columns().len()).map(|column| self.cell(column)).collect()
    }

    /// Column and cell, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.table.columns().iter().map(String::as_str).zip(self.table.row(self.at))
    }

    /// As a JSON object of texts.
    pub fn value(&self) -> Value {
        Value::Object(self.pairs().map(|(name, cell)| (name.to_owned(), Value::from(cell))).collect())
    }

    /// As a Rhai map of texts.
    pub fn map(&self) -> Map {
        self.pairs().map(|(name, cell)| (name.into(), Dynamic::from(ImmutableString::from(cell)))).collect()
    }
}

/// What is said of a column that does not exist: the nearest one, and all there are.
pub fn unknown_column(name: &str, columns: &[String]) -> String {
    let names = columns.iter().map(String::as_str);
    let nearest = did_you_mean(name, names).map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
    let shown: Vec<String> = columns.iter().take(20).map(|column| format!("`{column}`")).collect();
    let more = if columns.len() > 20 { ", …" } else { "" };
    format!("there is no column `{name}`{nearest} (the columns are {}{more})", shown.join(", "))
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.value())
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.pairs().eq(other.pairs())
    }
}

impl IntoIterator for Row {
    type Item = Dynamic;
    type IntoIter = std::vec::IntoIter<Dynamic>;
    fn into_iter(self) -> Self::IntoIter {
        self.cells().into_iter()
    }
}

/// After `row.name.len()` Rhai writes `row.name` back, in case the method has changed it.
fn fed_back(old: &Dynamic, new: &Dynamic) -> Fallible<()> {
    json::fed_back(old, new)
        .map_err(|_| "a row is read-only, all users share it: copy it with `.to_map()` to change it".into())
}

/// Adds the type and what can be done with it.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Row>("row")
        .register_iterator::<Row>()
        .register_indexer_get(|row: &mut Row, name: ImmutableString| row.field(&name))
        .register_indexer_get(|row: &mut Row, index: i64| row.item(index))
        .register_indexer_set(|row: &mut Row, name: ImmutableString, new: Dynamic| fed_back(&row.field(&name)?, &new))
        .register_indexer_set(|row: &mut Row, index: i64, new: Dynamic| fed_back(&row.item(index)?, &new))
        .register_fn("len", |row: &mut Row| row.table.columns().len() as i64)
        .register_fn("contains", |row: &mut Row, name: ImmutableString| row.column(&name).is_some())
        .register_fn("get", |row: &mut Row, name: ImmutableString| {
            row.column(&name).map_or(Dynamic::UNIT, |column| row.cell(column))
        })
        .register_fn("keys", |row: &mut Row| -> Array {
            row.table.columns().iter().map(|name| Dynamic::from(ImmutableString::from(name.as_str()))).collect()
        })
        .register_fn("values", |row: &mut Row| -> Array { row.cells() })
        .register_fn("to_map", |row: &mut Row| row.map())
        .register_fn("to_json", |row: &mut Row| row.to_string())
        .register_fn("to_string", |row: &mut Row| row.to_string())
        .register_fn("to_debug", |row: &mut Row| row.to_string())
        .register_fn("==", |one: Row, other: Row| one == other)
        .register_fn("!=", |one: Row, other: Row| one != other);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::CsvOptions;

    fn eval(script: &str) -> Result<Dynamic, String> {
        let mut engine = Engine::new();
        register(&mut engine);
        json::register(&mut engine);
        let text = "id,first name,email\n7,Ann,ann@example.com\n8,\"Bob \"\"B\"\"\",\n";
        let table = Table::read(std::io::Cursor::new(text), text.len(), &CsvOptions::default()).unwrap();
        let table = Arc::new(table);
        let mut scope = rhai::Scope::new();
        scope.push("ann", Row::new(Arc::clone(&table), 0));
        scope.push("bob", Row::new(table, 1));
        engine.eval_with_scope(&mut scope, script).map_err(|error| error.to_string())
    }

    #[test]
    fn a_row_indexes_iterates_and_prints_like_a_map() {
        let truth = |script: &str| assert_eq!(eval(script).expect(script).as_bool(), Ok(true), "{script}");
        truth(r#"ann.id == "7" && ann["first name"] == "Ann" && ann[0] == "7" && ann[-1] == "ann@example.com""#);
        truth(r#"ann.id.len() == 1 && ann.email.contains("@") && parse_int(ann.id) == 7 && bob.email == """#);
        truth(r#"let all = ""; for cell in ann { all += cell + "|"; } all == "7|Ann|ann@example.com|""#);
        truth(r#"ann.keys() == ["id", "first name", "email"] && bob.values()[1] == "Bob \"B\"" && ann.len() == 3"#);
        truth(r#"bob.to_json() == "{\"id\":\"8\",\"first name\":\"Bob \\\"B\\\"\",\"email\":\"\"}""#);
        truth(r#"`${ann}`.starts_with("{\"id\":\"7\"") && ann == ann && ann != bob"#);
        truth(r#"let copy = ann.to_map(); copy.id = "9"; copy.id == "9" && ann.id == "7""#);
        truth(r#""id" in ann && ann.contains("email") && !ann.contains("mail") && ann.get("mail") == ()"#);
    }

    #[test]
    fn what_is_not_there_is_an_error_that_says_what_is() {
        let error = |script: &str| eval(script).expect_err(script);
        let text = error("ann.emial");
        assert!(
            text.contains(
                "there is no column `emial`; did you mean `email`? (the columns are `id`, `first name`, `email`)"
            ),
            "{text}"
        );
        assert!(error("ann[3]").contains("out of bounds"), "{}", error("ann[3]"));
        for write in ["ann.id = \"9\";", "ann[0] = 1;", "ann[\"first name\"] += \"x\";"] {
            assert!(error(write).contains("read-only") && error(write).contains("to_map"), "{}", error(write));
        }
    }
}
