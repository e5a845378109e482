package org.authservice.docs;

import org.authservice.http.ErrorCode;

/** The error catalogue: a paragraph for each code, which problems link to. */
final class ErrorPage {
  private ErrorPage() {}

  static String html() {
    var html = new StringBuilder(16384);
    html.append(
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Errors</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/docs/assets/page.css">
        </head><body><h1>Errors</h1>
        <p>Every error is answered as <code>application/problem+json</code> (RFC 9457). Switch on
        <code>code</code>: it never changes. <code>detail</code> is a sentence for people.</p>
        """);
    for (ErrorCode error : ErrorCode.values()) {
      html.append("<section id=\"").append(error.code()).append("\"><h2><code>");
      html.append(error.code()).append("</code> <small>").append(error.status());
      html.append("</small></h2><p><strong>").append(escaped(error.title())).append(".</strong> ");
      html.append(escaped(error.detail())).append("</p><p>").append(escaped(error.remedy()));
      html.append("</p></section>\n");
    }
    return html.append("</body></html>\n").toString();
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
