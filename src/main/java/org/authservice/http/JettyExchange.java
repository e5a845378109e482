package org.authservice.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.authservice.secret.Secret;
import org.eclipse.jetty.http.BadMessageException;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/** Carries requests from Jetty to the site, and its answers back. */
final class JettyExchange extends Handler.Abstract {
  private static final byte[] NOTHING = {};
  private static final int MAX_BODY = 64 * 1024;
  private static final long MAX_DRAINED = 16L * 1024 * 1024;
  private static final int MAX_HEADERS = 100;
  private static final int MAX_USER_AGENT = 400;
  private static final Pattern LANGUAGES = Pattern.compile("[A-Za-z0-9*.,;= -]{0,120}");
  private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private final Site site;
  private final Rendering rendering;
  private final ClientAddress addresses;
  private final SlowClients slowClients;
  private final HeaderFields headerFields = new HeaderFields();

  JettyExchange(Site site, Rendering rendering, ClientAddress addresses, SlowClients slowClients) {
    this.site = site;
    this.rendering = rendering;
    this.addresses = addresses;
    this.slowClients = slowClients;
  }

  @Override
  public boolean handle(Request jetty, Response response, Callback callback) throws Exception {
    String id = requestId(jetty);
    Map<String, String> headers = headers(jetty);
    String path = jetty.getHttpURI().getPath();
    Optional<Router.Match> match = site.find(path);
    var request =
        new org.authservice.http.Request(
            jetty.getMethod(),
            path,
            match.map(it -> it.endpoint().template()).orElse("-"),
            match.map(Router.Match::parts).orElse(Map.of()),
            query(jetty),
            headers,
            NOTHING,
            client(jetty, headers, id),
            Optional.empty());
    Answer answer = answer(request, jetty);
    if (answer.status() == ErrorCode.PAYLOAD_TOO_LARGE.status()) {
      writeThenDrain(rendering.render(answer, id), jetty, response, callback);
    } else {
      write(rendering.render(answer, id), response, callback);
    }
    return true;
  }

  private Answer answer(org.authservice.http.Request request, Request jetty) throws IOException {
    if (jetty.getHeaders().size() > MAX_HEADERS) {
      return site.refuse(request, ErrorCode.HEADERS_TOO_LARGE).with("Connection", "close");
    }
    byte[] body;
    try {
      body = body(jetty);
    } catch (IOException failure) {
      if (isTimeout(failure)) {
        return site.refuse(request, ErrorCode.REQUEST_TIMEOUT).with("Connection", "close");
      }
      throw failure;
    }
    return body == null
        ? site.refuse(request, ErrorCode.PAYLOAD_TOO_LARGE).with("Connection", "close")
        : site.handle(request.with(body));
  }

  /** Null when it is larger than allowed; then the rest is left unread. */
  private byte @Nullable [] body(Request jetty) throws IOException {
    long length = jetty.getLength();
    if (length > MAX_BODY) {
      return null;
    }
    // Neither a length nor chunks: there is none (RFC 9112, section 6.3).
    boolean none = length < 0 && !jetty.getHeaders().contains(HttpHeader.TRANSFER_ENCODING);
    if (length == 0 || none) {
      return NOTHING;
    }
    var reading = slowClients.reading(jetty.getConnectionMetaData().getConnection().getEndPoint());
    try (reading) {
      // What is announced, and one more, of which nothing comes: its place is all that is made.
      int most = length < 0 ? MAX_BODY : (int) length;
      byte[] body = Content.Source.asInputStream(jetty).readNBytes(most + 1);
      return body.length > MAX_BODY ? null : body;
    }
  }

  private static boolean isTimeout(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof TimeoutException) {
        return true;
      }
    }
    return false;
  }

  /**
   * Answers, then takes some of what the client is still sending: closing at once would reset the
   * connection, and a client in the middle of sending would never see the answer.
   */
  private void writeThenDrain(
      Rendering.Rendered rendered, Request jetty, Response response, Callback callback) {
    prepare(rendered, response);
    try (var reading =
        slowClients.reading(jetty.getConnectionMetaData().getConnection().getEndPoint())) {
      Content.Sink.write(response, true, ByteBuffer.wrap(rendered.content()));
      InputStream rest = Content.Source.asInputStream(jetty);
      byte[] discarded = new byte[8192];
      long left = MAX_DRAINED;
      int count = 0;
      while (left > 0 && count >= 0) {
        count = rest.read(discarded);
        left -= count;
      }
      callback.succeeded();
    } catch (IOException gone) {
      callback.failed(gone);
    }
  }

  private void write(Rendering.Rendered rendered, Response response, Callback callback) {
    prepare(rendered, response);
    response.write(true, ByteBuffer.wrap(rendered.content()), callback);
  }

  private void prepare(Rendering.Rendered rendered, Response response) {
    response.setStatus(rendered.status());
    headerFields.add(rendered, response.getHeaders());
  }

  private String requestId(Request jetty) {
    return requestId(jetty.getHeaders().get("X-Request-ID"));
  }

  /** The client's own id when it is harmless to log and echo, else a new one. */
  static String requestId(@Nullable String given) {
    if (given != null && REQUEST_ID.matcher(given).matches()) {
      return given;
    }
    // To be told apart by, not to be secret: so not from where secrets come from, which takes
    // longer.
    var random = ThreadLocalRandom.current();
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
  }

  private static Map<String, String> headers(Request jetty) {
    Map<String, String> headers = new HashMap<>();
    for (HttpField field : jetty.getHeaders()) {
      String name = field.getLowerCaseName();
      String value = field.getValue() == null ? "" : field.getValue();
      String first = headers.putIfAbsent(name, value);
      // Hops append to these; of any other field the first one counts.
      if (first != null && (name.equals("x-forwarded-for") || name.equals("forwarded"))) {
        headers.put(name, first + ", " + value);
      }
    }
    return headers;
  }

  private static Map<String, String> query(Request jetty) {
    if (jetty.getHttpURI().getQuery() == null) {
      return Map.of();
    }
    Map<String, String> query = new HashMap<>();
    try {
      for (Fields.Field field : Request.extractQueryParameters(jetty)) {
        query.put(field.getName(), field.getValue());
      }
    } catch (IllegalArgumentException | IllegalStateException malformed) {
      throw new BadMessageException("malformed query", malformed);
    }
    return query;
  }

  private Client client(Request jetty, Map<String, String> headers, String id) {
    String userAgent = headers.getOrDefault("user-agent", "");
    return new Client(
        addresses.of(Request.getRemoteAddr(jetty), headers),
        userAgent.length() > MAX_USER_AGENT ? userAgent.substring(0, MAX_USER_AGENT) : userAgent,
        Optional.ofNullable(headers.get("device-token")).map(Secret::of),
        id,
        languages(headers.getOrDefault("accept-language", "")));
  }

  private static String languages(String header) {
    return header.isEmpty() || LANGUAGES.matcher(header).matches() ? header : "";
  }
}
