//! What a client would rather have: the `Accept` header, and saying that an answer depends on it.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// Does it name HTML, and like it better than JSON? Programs that take anything get JSON.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut named = lines.flat_map(|value| value.split(',')).map(range);
    named.any(|(kind, weight)| kind.eq_ignore_ascii_case("text/html") && weight > 0.0)
        && best(headers, &["application/json", "text/html"]) == 1
}

/// The position of the type that the client likes best; the first of equals, and of types that
/// it does not name at all.
pub fn best(headers: &HeaderMap, offered: &[&str]) -> usize {
    let named: Vec<(&str, f32)> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(range)
        .collect();
    let mut best = (0, f32::MIN);
    for (position, kind) in offered.iter().enumerate() {
        let liking = liking(&named, kind);
        if liking > best.1 {
            best = (position, liking);
        }
    }
    best.0
}

/// A media range and its weight.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (kind, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

/// The weight of the narrowest range that takes the type.
fn liking(named: &[(&str, f32)], kind: &str) -> f32 {
    let main = kind.split('/').next().unwrap_or_default();
    let weight_of = |wanted: &dyn Fn(&str) -> bool| {
        named.iter().filter(|(range, _)| wanted(range)).map(|(_, weight)| *weight).reduce(f32::max)
    };
    let exact = weight_of(&|range| range.eq_ignore_ascii_case(kind));
    let of_main = || weight_of(&|range| range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(main)));
    exact.or_else(of_main).or_else(|| weight_of(&|range| range == "*/*")).unwrap_or(0.0)
}

/// Says that the answer depends on `Accept`.
pub fn varied(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_who_names_it_and_prefers_it() {
        let check = |accept: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(wants_page(&headers), expected, "{accept}");
        };
        check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true);
        check("text/html", true);
        check("application/json;q=0.4, TEXT/HTML;q=0.5", true);
        check("text/html, application/json", false);
        check("text/html;q=0.5, */*", false);
        check("text/*", false);
        check("*/*", false);
        check("text/html;q=0", false);
        check("", false);
        assert!(!wants_page(&HeaderMap::new()));
    }

    #[test]
    fn the_type_that_is_liked_best_is_chosen() {
        let check = |accept: &str, expected: usize| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(best(&headers, &["application/json", "application/yaml"]), expected, "{accept}");
        };
        check("*/*", 0);
        check("application/yaml", 1);
        check("application/json, application/yaml", 0);
        check("application/json;q=0.5, application/yaml", 1);
        check("text/html, application/*;q=0.1", 0);
        check("application/yaml;q=0", 0);
        check("image/png", 0);
        check("", 0);
        assert_eq!(best(&HeaderMap::new(), &["application/json", "application/yaml"]), 0);
    }
}
