//! The gallery of effects: what each makes of the cat.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::base::ContentHash;
use crate::effects::{EFFECTS, Effect};
use crate::engine::{Engine, EngineError, Inputs, RecipeRef, Request, Submission};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::query::QueryWords;
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::icon;
use crate::http::ui::shell::{self, Page};
use crate::http::ui::thumb::thumb;
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::RunOptions;

/// The picture that effects are shown on.
const SUBJECT: &str = "cat";

fn request(effect: &str, subject: ContentHash, username: Option<String>) -> Request {
    Request {
        recipe: RecipeRef::Effect(effect.to_owned()),
        inputs: Inputs::Listed(vec![subject]),
        params: serde_json::Map::new(),
        output_name: None,
        format: None,
        options: RunOptions::default(),
        priority: 0,
        username,
        fixed: Vec::new(),
    }
}

/// What an effect makes of the subject, if that is known.
fn known(engine: &Engine, effect: &'static dyn Effect, subject: ContentHash) -> Option<ContentHash> {
    let prepared = engine.prepare(&request(effect.name(), subject, None)).ok()?;
    let output = &prepared.plan.nodes[prepared.plan.output];
    engine.known_value(&output.key)
}

type Shown = (&'static dyn Effect, Option<ContentHash>);

fn shown(engine: &Engine) -> Result<(Option<ContentHash>, Vec<Shown>), EngineError> {
    let subject = engine.find_asset(SUBJECT)?;
    let of = |effect: &&'static dyn Effect| (*effect, subject.and_then(|subject| known(engine, *effect, subject)));
    Ok((subject, EFFECTS.iter().map(of).collect()))
}

/// `/effects`
pub async fn page(app: App, visitor: Visitor, query: QueryWords) -> ApiResult<Response> {
    query.finish()?;
    let (subject, shown) = app.blocking(shown).await?;
    let missing = shown.iter().any(|(_, picture)| picture.is_none());
    let body = html! {
        div.head {
            div { h1 { "Effects" } p.muted { "What each makes of the cat. Open one to set its parameters, and to give it your own media." } }
            @if missing && subject.is_some() && visitor.runs {
                (shell::button(&visitor, "/effects/draw", "button main", "play", "Draw what is missing"))
            }
        }
        ul.gallery id="effects" data-live="" {
            @for (effect, picture) in &shown { (card(*effect, subject.as_ref(), picture.as_ref())) }
        }
    };
    let page = Page::new("/effects", "Effects").script("live.js").api("GET /effects").command("artdag effects");
    Ok(page.show(&visitor, &body))
}

fn card(effect: &'static dyn Effect, subject: Option<&ContentHash>, picture: Option<&ContentHash>) -> Markup {
    let address = format!("/recipe/{}?input={}", effect.name(), if subject.is_some() { SUBJECT } else { "" });
    html! {
        li.tile {
            a href=(address) tabindex="-1" aria-hidden="true" {
                @match picture {
                    Some(picture) => (thumb(Some(picture), Some("image/png"))),
                    None => span.thumb { span.muted { "not drawn yet" } },
                }
            }
            div {
                h2 { a href=(address) { (effect.name()) } " " span.muted { "v" (effect.version()) } }
                p { (effect.description()) }
                p.muted {
                    @if effect.params().is_empty() { "No parameters" } @else { (words::count(effect.params().len() as u64, "parameter", "parameters")) ": "
                        @for (at, param) in effect.params().iter().enumerate() { @if at > 0 { ", " } code { (param.name) } } }
                    " · " (icon("verify")) " same bits everywhere"
                }
            }
        }
    }
}

/// `POST /effects/draw`: renders the subject through each effect of which nothing is known.
pub async fn draw(State(app): State<App>, visitor: Visitor, _form: PageForm) -> ApiResult<Response> {
    let username = visitor.principal.username;
    app.blocking(move |engine| {
        let (subject, shown) = shown(engine)?;
        for (effect, picture) in shown {
            if let (Some(subject), None) = (subject, picture) {
                let request = request(effect.name(), subject, username.clone());
                engine.accept(&request, &Submission { held: false, idempotency: None })?;
            }
        }
        Ok(())
    })
    .await?;
    Ok(shell::see("/effects"))
}
