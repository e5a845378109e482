package org.authservice.mail;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;

/**
 * {@code /dev/mail}: the development mailbox. It shows one-time codes, so it answers only its own
 * machine, asked by its own name, without any proxy between, to whoever can read the key's file.
 */
public final class DevMailRoutes {
  private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");
  private static final List<String> PROXY_HEADERS =
      List.of(
          "forwarded",
          "via",
          "x-forwarded-for",
          "x-forwarded-host",
          "x-forwarded-proto",
          "x-forwarded-port",
          "x-forwarded-server");
  private static final String PAGE_POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; img-src https:; frame-src 'self'; base-uri 'none';"
          + " form-action 'none'; frame-ancestors 'none'";

  private final DevMailbox mailbox;
  private final Secret key;

  /** Routes to that mailbox. */
  public DevMailRoutes(DevMailbox mailbox, Secret key) {
    this.mailbox = mailbox;
    this.key = key;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(Route.open("GET", "/dev/mail", this::show));
  }

  private Answer show(Request request) {
    if (!allowed(request)) {
      return Problem.of(ErrorCode.NOT_FOUND).answer();
    }
    Optional<String> to = request.queryParameter("to").map(it -> it.toLowerCase(Locale.ROOT));
    List<DevMailbox.Delivered> mails =
        mailbox.mails().stream()
            .filter(
                mail -> to.filter(it -> !it.equals(mail.to().toLowerCase(Locale.ROOT))).isEmpty())
            .toList();
    boolean browser = request.header("accept").filter(it -> it.contains("text/html")).isPresent();
    return browser ? page(mails) : json(mails);
  }

  private boolean allowed(Request request) {
    String address = request.client().address();
    boolean loopbackPeer = address.startsWith("127.") || address.equals("::1");
    String host = request.header("host").orElse("").replaceFirst(":[0-9]{1,5}$", "");
    return loopbackPeer
        && LOOPBACK_NAMES.contains(host.toLowerCase(Locale.ROOT))
        && request.headers().keySet().stream()
            .noneMatch(name -> PROXY_HEADERS.contains(name) || name.startsWith("x-forwarded-"))
        && request.queryParameter("key").map(Secret::of).filter(key::equals).isPresent();
  }

  private static Answer json(List<DevMailbox.Delivered> mails) {
    return Answer.json(
            200, JsonObject.of("mails", mails.stream().map(DevMailRoutes::json).toList()))
        .with("Cache-Control", "no-store");
  }

  private static JsonObject json(DevMailbox.Delivered mail) {
    return JsonObject.of("id", mail.id())
        .put("to", mail.to())
        .put("subject", mail.letter().subject())
        .put("text", mail.letter().text())
        .put("html", mail.letter().html())
        .put("sent_at", mail.sentAt().toString());
  }

  private static Answer page(List<DevMailbox.Delivered> mails) {
    var html = new StringBuilder(4096);
    html.append(
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Development mail</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <style>
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
        article { border: 1px solid #8886; border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
        h2 { font-size: 1.1rem; margin: 0 } p { margin: .2rem 0 .8rem; opacity: .75 }
        pre { white-space: pre-wrap; overflow-wrap: anywhere }
        iframe { width: 100%; height: 26rem; border: 1px solid #8886; border-radius: .3rem; background: #fff }
        </style></head><body><h1>Development mail</h1>
        """);
    if (mails.isEmpty()) {
      html.append("<p>No mail yet. Register or ask for a code, then reload this page.</p>");
    }
    for (DevMailbox.Delivered mail : mails) {
      html.append("<article><h2>").append(escaped(mail.letter().subject()));
      html.append("</h2><p>to ").append(escaped(mail.to())).append(", ").append(mail.sentAt());
      html.append("</p><pre>").append(escaped(mail.letter().text()));
      html.append("</pre><details><summary>HTML</summary><iframe sandbox title=\"the HTML part\"");
      html.append(" srcdoc=\"").append(escaped(mail.letter().html()));
      html.append("\"></iframe></details></article>");
    }
    html.append("</body></html>");
    return Answer.bytes(
            200, "text/html; charset=utf-8", html.toString().getBytes(StandardCharsets.UTF_8))
        .with("Content-Security-Policy", PAGE_POLICY)
        .with("Cache-Control", "no-store");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
