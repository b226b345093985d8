//! HTML in scripts: `r.html("a.product")` selects elements by CSS.

use crate::user::fiber;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Position};
use scraper::{Html, Selector};
use std::rc::Rc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// One element, detached from its document.
#[derive(Clone, Debug)]
struct Element {
    name: Rc<str>,
    text: Rc<str>,
    inner: Rc<str>,
    attributes: Rc<[(String, String)]>,
}

/// The elements that a selector found, in document order.
#[derive(Clone, Debug)]
pub struct Selection(Rc<[Element]>);

/// Elements that a CSS selector finds in a page. Parses on the thread's own stack: pages nest deeper than a user's.
pub fn select(context: &NativeCallContext<'_>, page: &str, css: &str) -> Fallible<Selection> {
    let selector = Selector::parse(css).map_err(|error| {
        let text = format!("`{css}` is not a CSS selector: {error}");
        EvalAltResult::ErrorRuntime(text.into(), context.call_position())
    })?;
    let found = fiber::on_thread_stack(|| {
        let document = Html::parse_document(page);
        document.select(&selector).map(element).collect()
    });
    Ok(Selection(found))
}

fn element(found: scraper::ElementRef<'_>) -> Element {
    Element {
        name: found.value().name().into(),
        text: found.text().collect::<String>().trim().into(),
        inner: found.inner_html().into(),
        attributes: found.value().attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// The fields of the page's first form, by name: hidden ones such as CSRF tokens included.
pub fn form(page: &str) -> Map {
    fiber::on_thread_stack(|| {
        let selector = |css: &str| Selector::parse(css).expect("a constant selector is valid");
        let document = Html::parse_document(page);
        let Some(form) = document.select(&selector("form")).next() else { return Map::new() };
        let named = selector("input[name], textarea[name], select[name]");
        let fields = form.select(&named);
        let value = |field: scraper::ElementRef<'_>| match field.value().name() {
            "textarea" => field.text().collect(),
            "select" => {
                let chosen = field.select(&selector("option[selected]")).next();
                let option = chosen.or_else(|| field.select(&selector("option")).next());
                option.and_then(|option| option.value().attr("value")).unwrap_or_default().to_owned()
            }
            _ => field.value().attr("value").unwrap_or_default().to_owned(),
        };
        fields.filter_map(|field| Some((field.value().attr("name")?.into(), Dynamic::from(value(field))))).collect()
    })
}

impl Element {
    fn attr(&self, name: &str) -> Dynamic {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or(Dynamic::UNIT, |(_, value)| Dynamic::from(ImmutableString::from(value.as_str())))
    }
}

impl Selection {
    fn first(&self) -> Dynamic {
        self.0.first().map_or(Dynamic::UNIT, |element| Dynamic::from(element.clone()))
    }
}

impl IntoIterator for Selection {
    type Item = Dynamic;
    type IntoIter = std::vec::IntoIter<Dynamic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().cloned().map(Dynamic::from).collect::<Vec<_>>().into_iter()
    }
}

/// Adds both types.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Element>("element")
        .register_get("name", |element: &mut Element| ImmutableString::from(&*element.name))
        .register_get("text", |element: &mut Element| ImmutableString::from(&*element.text))
        .register_fn("text", |element: &mut Element| ImmutableString::from(&*element.text))
        .register_fn("html", |element: &mut Element| ImmutableString::from(&*element.inner))
        .register_fn("attr", |element: &mut Element, name: ImmutableString| element.attr(&name));
    engine
        .register_type_with_name::<Selection>("selection")
        .register_iterator::<Selection>()
        .register_get("len", |selection: &mut Selection| selection.0.len() as i64)
        .register_fn("len", |selection: &mut Selection| selection.0.len() as i64)
        .register_fn("is_empty", |selection: &mut Selection| selection.0.is_empty())
        .register_fn("first", |selection: &mut Selection| selection.first())
        .register_fn("text", |selection: &mut Selection| {
            selection.0.iter().map(|element| &*element.text).collect::<Vec<_>>().join(" ")
        })
        .register_fn("attr", |selection: &mut Selection, name: ImmutableString| {
            selection.0.first().map_or(Dynamic::UNIT, |element| element.attr(&name))
        })
        .register_indexer_get(|selection: &mut Selection, index: i64| -> Fallible<Dynamic> {
            let length = selection.0.len();
            let at = if index < 0 { index + length as i64 } else { index };
            let found = usize::try_from(at).ok().and_then(|at| selection.0.get(at));
            found
                .map(|element| Dynamic::from(element.clone()))
                .ok_or_else(|| EvalAltResult::ErrorArrayBounds(length, index, Position::NONE).into())
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_gives_its_fields() {
        let page = r#"<form><input type=hidden name=csrf value="a&amp;b"><select name=size><option value=s><option value=m selected></select>
            <textarea name=note>hi</textarea><input name=empty></form><form><input name=other value=1></form>"#;
        let form = form(page);
        let text: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(text, ["csrf=a&b", "empty=", "note=hi", "size=m"]);
    }
}
