//! The shop as HTML: a front page with links, product pages, a login form with a hidden CSRF field, a cart.
//!
//! Called by `service`; the shop's state is in `shop`. All text from outside is escaped. It deliberately has no
//! scripts and no pictures: it is there to be parsed, followed and filled in.

use std::fmt::Write as _;

use http::StatusCode;
use http::header::SET_COOKIE;

use super::reply::{Asked, Reply};
use super::shop::{Shop, cookie, is_name, wrong_method};

/// Answers a page's path; `None` when it is no page.
pub fn page(shop: &Shop, asked: &Asked<'_>) -> Option<Reply> {
    Some(match asked.path() {
        "/" if asked.is_get() => front(shop, asked),
        "/login" if asked.is_post() => login(shop, asked),
        "/cart" if asked.is_post() => add_to_cart(shop, asked),
        "/" | "/login" | "/cart" => wrong_method(),
        path => {
            let product = shop.product(path.strip_prefix("/products/")?);
            match product {
                None => Reply::not_found(),
                Some(_) if !asked.is_get() => wrong_method(),
                Some(product) => {
                    let (name, price) = (&product.name, product.price());
                    Reply::html(frame(
                        name,
                        &format!(
                            "<h1>{name}</h1>\n<p class=\"price\">{price:.2}</p>\n<p class=\"stock\">{}</p>\n\
                             <form method=\"post\" action=\"/cart\">\
                             <input type=\"hidden\" name=\"csrf\" value=\"{}\">\
                             <input type=\"hidden\" name=\"sku\" value=\"{}\"><button>Add to cart</button></form>\n\
                             <p><a href=\"/\">All products</a></p>\n",
                            product.stock,
                            shop.csrf(),
                            product.id
                        ),
                    ))
                }
            }
        }
    })
}

fn front(shop: &Shop, asked: &Asked<'_>) -> Reply {
    let mut body = String::with_capacity(8 * 1024);
    body.push_str("<h1>The shop</h1>\n");
    match shop.user(asked) {
        Some(user) => {
            let _ = writeln!(body, "<p id=\"user\">Hello, {}</p>", escaped(&user));
        }
        None => {
            let _ = writeln!(
                body,
                "<form id=\"login\" method=\"post\" action=\"/login\">\
                 <input type=\"hidden\" name=\"csrf\" value=\"{}\">\
                 <input name=\"user\"><button>Log in</button></form>",
                shop.csrf()
            );
        }
    }
    body.push_str("<ul id=\"products\">\n");
    for product in shop.products() {
        let _ = writeln!(body, "<li><a href=\"/products/{}\">{}</a></li>", product.id, product.name);
    }
    body.push_str("</ul>\n");
    Reply::html(frame("The shop", &body))
}

fn login(shop: &Shop, asked: &Asked<'_>) -> Reply {
    let form = asked.form();
    if !has_secret(shop, &form) {
        return Reply::error(StatusCode::FORBIDDEN, "the form's csrf field is missing or wrong");
    }
    match field(&form, "user").filter(|user| is_name(user)) {
        None => Reply::error(StatusCode::BAD_REQUEST, "a user has 1 to 64 characters"),
        Some(user) => {
            let token = shop.open_session(Some(user));
            Reply::redirect(StatusCode::SEE_OTHER, "/").with_text(SET_COOKIE, &cookie(&token))
        }
    }
}

fn add_to_cart(shop: &Shop, asked: &Asked<'_>) -> Reply {
    let form = asked.form();
    if !has_secret(shop, &form) {
        return Reply::error(StatusCode::FORBIDDEN, "the form's csrf field is missing or wrong");
    }
    match shop.take_into_cart(asked, field(&form, "sku").unwrap_or_default()) {
        Err((status, why)) => Reply::error(status, why),
        Ok((_, new)) => {
            let reply = Reply::redirect(StatusCode::SEE_OTHER, "/api/cart");
            if let Some(token) = new { reply.with_text(SET_COOKIE, &cookie(&token)) } else { reply }
        }
    }
}

fn has_secret(shop: &Shop, form: &[(String, String)]) -> bool {
    field(form, "csrf").is_some_and(|value| shop.is_csrf(value))
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n{body}</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
