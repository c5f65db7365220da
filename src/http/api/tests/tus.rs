//! Uploads that go on after a lost connection.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::site::{Answer, Site};
use crate::base::ContentHash;

const PART: (&str, &str) = ("content-type", "application/offset+octet-stream");

impl Site {
    async fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
        for (name, value) in [("tus-resumable", "1.0.0")].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    async fn begun(&self, length: &str, metadata: &str) -> String {
        let answer =
            self.tus("POST", "/uploads", &[("upload-length", length), ("upload-metadata", metadata)], b"").await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        assert!(answer.header("upload-expires").ends_with(" GMT"));
        answer.header("location").to_owned()
    }
}

#[tokio::test]
async fn a_file_comes_in_parts_and_is_named() {
    let site = Site::new();
    let name = format!("filename {},other", BASE64_STANDARD.encode("note.txt"));
    let at = site.begun("10", &name).await;
    let first = site.tus("PATCH", &at, &[("upload-offset", "0"), PART], b"0123").await;
    assert_eq!((first.status, first.header("upload-offset")), (StatusCode::NO_CONTENT, "4"), "{}", first.text());
    let told = site.tus("HEAD", &at, &[], b"").await;
    assert_eq!((told.header("upload-offset"), told.header("upload-length")), ("4", "10"));
    assert_eq!(told.header("upload-content-hash"), "");
    let last = site.tus("PATCH", &at, &[("upload-offset", "4"), PART], b"456789").await;
    let hash = ContentHash::of(b"0123456789").to_string();
    assert_eq!((last.status, last.header("upload-content-hash")), (StatusCode::NO_CONTENT, hash.as_str()));
    assert_eq!(last.header("upload-existing"), "false");
    assert_eq!(site.get(&format!("/cache/{hash}")).await.text(), "0123456789");
    assert_eq!(site.get("/assets").await.value()["note.txt"], hash.as_str());
    // Who did not hear of the end asks, and is told.
    let told = site.tus("HEAD", &at, &[], b"").await;
    assert_eq!((told.header("upload-offset"), told.header("upload-content-hash")), ("10", hash.as_str()));
    site.tus("PATCH", &at, &[("upload-offset", "10"), PART], b"x").await.refused(409, "here already");
}

#[tokio::test]
async fn a_dry_run_ends_nothing_and_says_what_would_be_freed() {
    let site = Site::new();
    let at = site.begun("10", "").await;
    site.tus("PATCH", &at, &[("upload-offset", "0"), PART], b"0123").await;
    let asked = site.tus("DELETE", &format!("{at}?dry_run=true"), &[], b"").await;
    assert_eq!((asked.status, &asked.value()["deleted"]), (StatusCode::OK, &false.into()));
    assert_eq!(asked.value()["freed_bytes"], 4);
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-offset"), "4");
    assert_eq!(site.tus("DELETE", &at, &[], b"").await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_version_is_refused_whatever_it_asks_for() {
    let site = Site::new();
    let at = site.begun("10", "").await;
    for method in ["HEAD", "GET", "PATCH", "DELETE"] {
        let request = Request::builder().method(method).uri(&at).header("tus-resumable", "0.2.2");
        let request = request.header("upload-offset", "0").header(PART.0, PART.1);
        let refused = site.send(request.body(Body::from("x")).unwrap()).await;
        assert_eq!((refused.status.as_u16(), refused.header("tus-version")), (412, "1.0.0"), "{method}");
    }
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-offset"), "0");
}

#[test]
fn a_post_may_stand_for_another_method_of_an_upload() {
    let of = |path: &str, method: &str, name: &str| {
        let mut request =
            Request::builder().method(method).uri(path).header("x-http-method-override", name).body(()).unwrap();
        crate::http::api::override_method(&mut request);
        request.method().as_str().to_owned()
    };
    assert_eq!(of("/uploads/1", "POST", "PATCH"), "PATCH");
    assert_eq!(of("/uploads/1", "POST", "DELETE"), "DELETE");
    for (path, method, name) in
        [("/uploads", "POST", "PATCH"), ("/runs/1", "POST", "DELETE"), ("/uploads/1", "POST", "PUT")]
    {
        assert_eq!(of(path, method, name), method, "{path} {name}");
    }
    assert_eq!(of("/uploads/1", "GET", "DELETE"), "GET");
}

#[tokio::test]
async fn what_is_here_is_named_and_not_sent_again() {
    let site = Site::new();
    let hash = ContentHash::of(b"0123456789").to_string();
    let said =
        |name: &str| format!("filename {},blake3 {}", BASE64_STANDARD.encode(name), BASE64_STANDARD.encode(&hash));
    let at = site.begun("10", &said("first")).await;
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-offset"), "0", "it is not here yet");
    let last = site.tus("PATCH", &at, &[("upload-offset", "0"), PART], b"0123456789").await;
    assert_eq!(last.header("upload-content-hash"), hash);
    let metadata = said("second");
    let again = [("upload-length", "10"), ("upload-metadata", metadata.as_str())];
    let begun = site.tus("POST", "/uploads", &again, b"").await;
    assert_eq!((begun.status, begun.header("upload-offset")), (StatusCode::CREATED, "10"));
    assert_eq!((begun.header("upload-content-hash"), begun.header("upload-existing")), (hash.as_str(), "true"));
    assert_eq!(site.get("/assets").await.value()["second"], hash.as_str());
    // Who is asked later is told the same; a wrong length or hash is no such file.
    let told = site.tus("HEAD", begun.header("location"), &[], b"").await;
    assert_eq!(told.header("upload-content-hash"), hash);
    let at = site.begun("11", &metadata).await;
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-content-hash"), "");
    site.tus("POST", "/uploads", &[("upload-length", "1"), ("upload-metadata", "blake3 eHh4")], b"")
        .await
        .refused(422, "64 hex digits");
}

#[tokio::test]
async fn an_empty_file_is_whole_at_once() {
    let site = Site::new();
    let answer = site.tus("POST", "/uploads", &[("upload-length", "0")], b"").await;
    assert_eq!(answer.header("upload-content-hash"), ContentHash::of(b"").to_string());
}

#[tokio::test]
async fn a_part_with_another_checksum_leaves_nothing() {
    let site = Site::new();
    let at = site.begun("4", "").await;
    let of = |algorithm: &str, sum: &[u8]| format!("{algorithm} {}", BASE64_STANDARD.encode(sum));
    let wrong = of("blake3", ContentHash::of(b"other").as_bytes());
    let answer = site.tus("PATCH", &at, &[("upload-offset", "0"), ("upload-checksum", &wrong), PART], b"ab").await;
    answer.refused(460, "checksum");
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-offset"), "0");
    let right = of("blake3", ContentHash::of(b"ab").as_bytes());
    let answer = site.tus("PATCH", &at, &[("upload-offset", "0"), ("upload-checksum", &right), PART], b"ab").await;
    assert_eq!(answer.header("upload-offset"), "2", "{}", answer.text());
    for bad in ["md5 AAAA", "sha1", "sha1 !", ""] {
        let answer = site.tus("PATCH", &at, &[("upload-offset", "2"), ("upload-checksum", bad), PART], b"cd").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    // SHA-1 of "cd", as the protocol's own clients send it.
    let sum: Vec<u8> =
        sha1::Digest::finalize(sha1::Digest::chain_update(<sha1::Sha1 as sha1::Digest>::new(), b"cd")).to_vec();
    let answer =
        site.tus("PATCH", &at, &[("upload-offset", "2"), ("upload-checksum", &of("sha1", &sum)), PART], b"cd").await;
    assert_eq!(answer.header("upload-content-hash"), ContentHash::of(b"abcd").to_string(), "{}", answer.text());
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let site = Site::new();
    let at = site.begun("4", "").await;
    site.tus("PATCH", &at, &[("upload-offset", "1"), PART], b"ab").await.refused(409, "0 bytes are here");
    site.tus("PATCH", &at, &[("upload-offset", "0"), PART], b"abcde").await.refused(413, "more bytes");
    site.tus("PATCH", &at, &[("upload-offset", "x"), PART], b"ab").await.refused(422, "number of bytes");
    site.tus("PATCH", &at, &[("upload-offset", "0"), ("content-type", "text/plain")], b"ab")
        .await
        .refused(415, "offset+octet-stream");
    let old = Request::builder().method(Method::PATCH).uri(&at).header("tus-resumable", "0.2.2");
    let answer = site.send(old.body(Body::empty()).expect("a request")).await;
    answer.refused(412, "1.0.0");
    assert_eq!((answer.header("tus-version"), answer.header("tus-resumable")), ("1.0.0", "1.0.0"));
    for (length, metadata) in [("-1", ""), ("", ""), ("99999999999999999999", ""), ("1", "filename !")] {
        let answer =
            site.tus("POST", "/uploads", &[("upload-length", length), ("upload-metadata", metadata)], b"").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{length} {metadata}");
    }
    let huge = site.tus("POST", "/uploads", &[("upload-length", "9000000000000000000")], b"").await;
    assert_eq!(huge.status, StatusCode::INSUFFICIENT_STORAGE);
}

#[tokio::test]
async fn an_upload_is_its_owners_and_ends_when_they_say() {
    let site = Site::new();
    let at = site.begun("4", "").await;
    let other = site.anonymous();
    for method in ["HEAD", "GET", "DELETE"] {
        assert_eq!(other.tus(method, &at, &[], b"").await.status, StatusCode::NOT_FOUND, "{method}");
    }
    assert_eq!(site.tus("DELETE", &at, &[], b"").await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.status, StatusCode::NOT_FOUND);
    for id in ["x".to_owned(), "0".repeat(64), "..%2f..%2ftoken".to_owned()] {
        assert_eq!(site.tus("GET", &format!("/uploads/{id}"), &[], b"").await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn the_protocol_says_what_it_can() {
    let site = Site::new();
    let answer = site.tus("OPTIONS", "/uploads", &[], b"").await;
    assert_eq!((answer.status, answer.header("tus-version")), (StatusCode::NO_CONTENT, "1.0.0"));
    assert_eq!(answer.header("tus-extension"), "creation,checksum,expiration,termination");
}

#[tokio::test]
async fn a_connection_that_breaks_off_keeps_what_came_unless_it_was_to_be_checked() {
    let site = Site::new();
    let broken = |headers: &[(&str, &str)], at: &str| {
        let came: Result<&[u8], std::io::Error> = Ok(b"01234");
        let body = futures_util::stream::iter([came, Err(std::io::Error::other("cut"))]);
        let mut request = Request::patch(at).header("tus-resumable", "1.0.0").header("upload-offset", "0");
        for (name, value) in [PART].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        request.body(Body::from_stream(body)).expect("a request")
    };
    let at = site.begun("10", "").await;
    site.send(broken(&[], &at)).await.refused(400, "broke off");
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-offset"), "5");
    let last = site.tus("PATCH", &at, &[("upload-offset", "5"), PART], b"56789").await;
    assert_eq!(last.header("upload-content-hash"), ContentHash::of(b"0123456789").to_string());
    let at = site.begun("10", "").await;
    let sum = format!("blake3 {}", BASE64_STANDARD.encode(ContentHash::of(b"0123456789").as_bytes()));
    site.send(broken(&[("upload-checksum", &sum)], &at)).await.refused(400, "broke off");
    assert_eq!(site.tus("HEAD", &at, &[], b"").await.header("upload-offset"), "0");
}

#[tokio::test]
async fn whoever_comes_back_takes_over_from_a_connection_that_hangs() {
    let site = std::sync::Arc::new(Site::new());
    let at = site.begun("10", "").await;
    let (pieces, body) = tokio::sync::mpsc::channel::<Result<&[u8], std::io::Error>>(1);
    let request = Request::patch(&at).header("tus-resumable", "1.0.0").header("upload-offset", "0");
    let body = futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let request = request.header(PART.0, PART.1).body(Body::from_stream(body)).expect("a request");
    let hanging = tokio::spawn({
        let site = site.clone();
        async move { site.send(request).await }
    });
    pieces.send(Ok(b"012")).await.expect("it is read");
    // The piece is taken once the next one can be sent.
    pieces.send(Ok(b"")).await.expect("it is read");
    pieces.send(Ok(b"")).await.expect("it is read");
    let offset = site.tus("HEAD", &at, &[], b"").await.header("upload-offset").to_owned();
    let left = hanging.await.expect("an answer");
    assert!(left.status.is_client_error() && left.text().contains("came back"), "{}", left.text());
    assert_eq!(offset, "3");
    let last = site.tus("PATCH", &at, &[("upload-offset", "3"), PART], b"3456789").await;
    assert_eq!(last.header("upload-content-hash"), ContentHash::of(b"0123456789").to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_a_connection_to_leave_hold_no_thread() {
    let site = Site::new();
    let at = site.begun("10", "").await;
    let id = at.strip_prefix("/uploads/").unwrap().parse().unwrap();
    let sends = site.app.engine.append_partial(id, "token-1", 0, false).unwrap();
    // More than a runtime has threads that may wait.
    let asked: Vec<_> = (0..600)
        .map(|_| {
            let (site, at) = (site.clone(), at.clone());
            tokio::spawn(async move { site.get(&at).await })
        })
        .collect();
    let told = async { sends.stopped().wait_for(|stopped| *stopped).await.is_ok() };
    let others = async { (told.await, site.get("/assets").await.status) };
    let answered = tokio::time::timeout(std::time::Duration::from_secs(8), others).await;
    assert_eq!(answered, Ok((true, StatusCode::OK)));
    drop(sends);
    for asked in asked {
        assert_eq!(asked.await.unwrap().status, StatusCode::OK);
    }
}

#[tokio::test]
async fn nobody_takes_the_room_of_all_nor_ends_what_is_somebody_elses() {
    let site = Site::new();
    let engine = &site.app.engine;
    let most = crate::base::limits::PARTIAL_UPLOADS_OF_ONE;
    let ids: Vec<_> = (0..most).map(|_| engine.begin_partial(1, None, "ann").unwrap()).collect();
    let error = engine.begin_partial(1, None, "ann").unwrap_err().to_string();
    assert!(error.contains(&format!("{most} uploads of yours")), "{error}");
    let other = engine.begin_partial(1, None, "ben").unwrap();
    let sends = engine.append_partial(other, "ben", 0, false).unwrap();
    assert!(engine.ask_to_leave(other, "ann").is_err());
    assert!(!*sends.stopped().borrow());
    engine.remove_partial(ids[0], "ann").unwrap();
    engine.begin_partial(1, None, "ann").unwrap();
}
