//! `tickwheel console`: a link that logs a browser in.

use clap::Args;
use tickwheel_api::answers::LoginLink;

use crate::failure::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// Where a browser finds the tracker, say behind a proxy; without it where the tracker listens
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(crate) async fn run(global: &Global, args: ConsoleArgs) -> Result<(), Failure> {
    if let Some(url) = &args.url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        return Err(Failure::usage(format!(
            "--url is http://… or https://…, not {url:?}"
        )));
    }
    let client = global.connect().await?;
    let mut link = LoginLink::from(client.make_login_link().await?);
    if let Some(url) = args.url {
        link.url = url;
    }
    if link.url.is_empty() {
        return Err(Failure::usage(
            "the tracker does not know where browsers find it, as it listens on every address or not at all: name it with --url",
        ));
    }
    global
        .output
        .thing(&link, || format!("{}\n", link.at(&link.url)))
}
