//! The page: overview, rows by group, streams. Every text in it is escaped on its way in.

use super::example::curl;
use super::fields::{self, Field};
use super::html::{anchor, prose, text};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Under the id of a session every row of a run is there again, so the page tells it once.
const SESSIONS: &str = "/sessions/{session}/";
const TABLE: &str = "<div class=\"scroll\" tabindex=\"0\" role=\"region\"";

/// The page of a document.
pub(super) fn of(document: &Value, style: &str) -> String {
    let info = &document["info"];
    let (title, version) = (string(&info["title"]), string(&info["version"]));
    let groups: Vec<(&str, &str, Vec<Operation<'_>>)> = array(&document["tags"])
        .map(|tag| {
            let name = string(&tag["name"]);
            (name, string(&tag["description"]), operations(document, name))
        })
        .collect();
    let mut page = String::new();
    // A page of text cannot fail to be written.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the text</a>\n\
         <header><p class=\"title\">{title} <span class=\"version\">{version}</span></p>\
         <p><a href=\"/api/openapi.json\">OpenAPI 3.1</a></p></header>\n",
        title = text(title),
        version = text(version),
    );
    contents(&mut page, &groups, document);
    page.push_str("<main id=\"main\">\n");
    let _ = writeln!(page, "<h1>{}</h1>\n<p class=\"lead\">{}</p>", text(title), prose(string(&info["summary"])));
    overview(&mut page, document);
    for (name, about, operations) in &groups {
        let _ = writeln!(page, "<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>", anchor(name), text(name));
        let _ = writeln!(page, "<p>{}</p>", prose(about));
        operations.iter().for_each(|operation| operation.write(&mut page, document));
        page.push_str("</section>\n");
    }
    streams(&mut page, document);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// One row of the contract.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    said: &'a Value,
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let of_path = |(path, methods): (&'a String, &'a Value)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, said)| Operation { method, path, said })
    };
    let all = paths.filter(|(path, _)| !path.starts_with(SESSIONS)).flat_map(of_path);
    all.filter(|operation| operation.said["tags"][0] == tag).collect()
}

fn contents(page: &mut String, groups: &[(&str, &str, Vec<Operation<'_>>)], document: &Value) {
    page.push_str("<nav aria-label=\"Contents\"><details open><summary>Contents</summary>\n<ul>\n");
    page.push_str("<li><a href=\"#overview\">overview</a></li>\n");
    for (name, _, operations) in groups {
        let _ = writeln!(page, "<li><a href=\"#{}\">{}</a>\n<ul>", anchor(name), text(name));
        for operation in operations {
            let (id, method) = (operation.id(), operation.method.to_uppercase());
            let _ = writeln!(
                page,
                "<li><a href=\"#{id}\"><span class=\"method {}\">{method}</span> {}</a></li>",
                text(operation.method),
                path(operation.path)
            );
        }
        page.push_str("</ul></li>\n");
    }
    if array(&document["x-streams"]).next().is_some() {
        page.push_str("<li><a href=\"#websocket\">websocket</a></li>\n");
    }
    page.push_str("</ul></details></nav>\n");
}

fn overview(page: &mut String, document: &Value) {
    page.push_str("<section aria-labelledby=\"overview\">\n<h2 id=\"overview\">overview</h2>\n");
    for paragraph in string(&document["info"]["description"]).split("\n\n") {
        let _ = writeln!(page, "<p>{}</p>", prose(paragraph));
    }
    page.push_str("<h3 id=\"access\">Who is let in</h3>\n");
    head(page, "Ways to be let in", &["way", "header", "what it is"]);
    for (name, scheme) in document["components"]["securitySchemes"].as_object().into_iter().flatten() {
        let header = match scheme["name"].as_str() {
            Some(header) => format!("<code>{}</code>", text(header)),
            None => "<code>Authorization: Bearer</code>".to_owned(),
        };
        let about = prose(string(&scheme["description"]));
        let _ = writeln!(page, "<tr><th scope=\"row\">{}</th><td>{header}</td><td>{about}</td></tr>", text(name));
    }
    page.push_str("</tbody></table></div>\n<h3 id=\"refusals\">What every row may refuse</h3>\n");
    page.push_str("<p>The body is always of the same form:</p>\n");
    table(page, "A refusal", &fields::of(document, &document["components"]["schemas"]["Problem"]));
    page.push_str("</section>\n");
}

impl Operation<'_> {
    fn id(&self) -> String {
        anchor(string(&self.said["operationId"]))
    }

    fn write(&self, page: &mut String, document: &Value) {
        let (id, method) = (self.id(), self.method.to_uppercase());
        let _ = writeln!(
            page,
            "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\"><span class=\"method {}\">{method}</span> {}</h3>\n<p>{}.</p>",
            text(self.method),
            path(self.path),
            prose(string(&self.said["summary"])),
        );
        self.needs(page);
        self.parameters(page, document);
        let body = &self.said["requestBody"];
        if let Some(schema) = body["content"]["application/json"].get("schema") {
            let may = if body["required"] == true { "" } else { ", if any" };
            let _ = writeln!(page, "<h4>Body{may}</h4>");
            table(page, "Body", &fields::of(document, schema));
        }
        self.answers(page, document);
        let _ = writeln!(
            page,
            "<h4>Example</h4>\n<pre class=\"curl\" tabindex=\"0\"><code>{}</code></pre>\n</article>",
            text(&curl(document, self.method, self.path, self.said))
        );
    }

    /// What the request must bring, unless anybody may ask.
    fn needs(&self, page: &mut String) {
        let open = array(&self.said["security"]).any(|way| way.as_object().is_some_and(Map::is_empty));
        if !open {
            let why = "A change: it needs the control token, or <code>Origin</code> and <code>X-Punk: 1</code>.";
            let _ = writeln!(page, "<p class=\"note\">{why}</p>");
        }
    }

    fn parameters(&self, page: &mut String, document: &Value) {
        let mut all = array(&self.said["parameters"]).peekable();
        if all.peek().is_none() {
            return;
        }
        page.push_str("<h4>Parameters</h4>\n");
        head(page, "Parameters", &["name", "in", "what it may be", "what it means"]);
        for parameter in all {
            let schema = &parameter["schema"];
            let mut kind = text(&fields::kind(document, schema));
            if let Some(pattern) = schema["pattern"].as_str() {
                let _ = write!(kind, " like <code>{}</code>", text(pattern));
            }
            match schema.get("default") {
                Some(default) => drop(write!(kind, "; {} by default", text(&default.to_string().replace('"', "")))),
                None if parameter["required"] == true => kind.push_str("; required"),
                None => {}
            }
            let (name, place) = (text(string(&parameter["name"])), text(string(&parameter["in"])));
            let about = prose(string(&parameter["description"]));
            let _ = writeln!(
                page,
                "<tr><th scope=\"row\"><code>{name}</code></th><td>{place}</td><td>{kind}</td><td>{about}</td></tr>"
            );
        }
        page.push_str("</tbody></table></div>\n");
    }

    fn answers(&self, page: &mut String, document: &Value) {
        let mut refused = Vec::new();
        for (status, response) in self.said["responses"].as_object().into_iter().flatten() {
            if !status.starts_with('2') {
                let own = response.get("$ref").is_none();
                refused.push((status, own.then(|| string(&response["description"]))));
                continue;
            }
            let _ = writeln!(page, "<h4>Answer {}</h4>", text(status));
            for (media, content) in response["content"].as_object().into_iter().flatten() {
                let about = prose(string(&response["description"]));
                let _ = writeln!(page, "<p><code>{}</code>: {about}.</p>", text(media));
                table(page, "Answer", &fields::of(document, &content["schema"]));
            }
            for (header, said) in response["headers"].as_object().into_iter().flatten() {
                let about = prose(string(&said["description"]));
                let _ = writeln!(page, "<p>Header <code>{}</code>: {about}.</p>", text(header));
            }
        }
        page.push_str("<h4>Refusals</h4>\n<ul class=\"refusals\">\n");
        for (status, why) in refused.iter().filter_map(|(status, why)| Some((status, (*why)?))) {
            let _ = writeln!(page, "<li><strong>{}</strong> {}</li>", text(status), prose(why));
        }
        let general: Vec<&str> =
            refused.iter().filter(|(_, why)| why.is_none()).map(|(status, _)| status.as_str()).collect();
        let _ = writeln!(page, "<li>{}, as <a href=\"#refusals\">every row</a></li>\n</ul>", text(&general.join(", ")));
    }
}

fn streams(page: &mut String, document: &Value) {
    let mut all = array(&document["x-streams"]).peekable();
    if all.peek().is_none() {
        return;
    }
    page.push_str("<section aria-labelledby=\"websocket\">\n<h2 id=\"websocket\">websocket</h2>\n");
    let _ = writeln!(page, "<p>{}</p>", prose(string(&document["x-streams-about"])));
    for stream in all {
        let id = format!("stream{}", anchor(string(&stream["path"])));
        let _ = writeln!(
            page,
            "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\"><span class=\"method ws\">WS</span> {}</h3>\n<p>{}.</p>",
            path(string(&stream["path"])),
            prose(string(&stream["description"])),
        );
        Operation { method: "ws", path: "", said: stream }.parameters(page, document);
        for message in array(&stream["messages"]) {
            let kind = text(string(&message["type"]));
            let _ = writeln!(page, "<details><summary><code>data</code> of <code>{kind}</code></summary>");
            table(page, &format!("data of {kind}"), &fields::of(document, &message["schema"]));
            page.push_str("</details>\n");
        }
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
}

/// Fields as a table, or nothing.
fn table(page: &mut String, label: &str, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    head(page, label, &["field", "what it is", "what it means"]);
    for Field { name, kind, required, about } in fields {
        let depth = name.matches(['.', '[']).count().min(4);
        let may = if *required { "" } else { " <span class=\"may\">may be missing</span>" };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\" class=\"deep{depth}\"><code>{}</code></th><td>{}{may}</td><td>{}</td></tr>",
            breaking(name),
            text(kind),
            prose(about)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn head(page: &mut String, label: &str, columns: &[&str]) {
    let _ = write!(page, "{TABLE} aria-label=\"{}\"><table><thead><tr>", text(label));
    for column in columns {
        let _ = write!(page, "<th scope=\"col\">{column}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
}

/// A path whose line may break before its slashes.
fn path(path: &str) -> String {
    format!("<code>{}</code>", text(path).replace('/', "<wbr>/"))
}

/// A name whose line may break after its dots.
fn breaking(name: &str) -> String {
    text(name).replace('.', ".<wbr>").replace('_', "_<wbr>")
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_of_a_document_is_markup() {
        let evil = "<script>alert('\"&`x`</script>";
        let operation = json!({
            "operationId": evil, "summary": evil, "tags": [evil], "security": [],
            "parameters": [{"name": evil, "in": evil, "description": evil, "schema": {"default": evil, "pattern": evil}}],
            "requestBody": {"content": {"application/json": {"schema": {"properties": {evil: {"description": evil}}}}}},
            "responses": {"200": {"description": evil, "content": {evil: {"schema": {"enum": [evil]}}}},
                evil: {"description": evil}},
        });
        let stream = json!({"path": evil, "description": evil, "parameters": [], "messages": [{"type": evil}]});
        let document = json!({
            "info": {"title": evil, "version": evil, "summary": evil, "description": evil},
            "tags": [{"name": evil, "description": evil}],
            "paths": {evil: {evil: operation}},
            "components": {"securitySchemes": {evil: {"name": evil, "description": evil}}, "schemas": {}},
            "x-streams": [stream], "x-streams-about": evil,
        });
        let page = of(&document, "");
        assert!(!page.contains("<script") && !page.contains("alert('"), "{page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
    }
}
