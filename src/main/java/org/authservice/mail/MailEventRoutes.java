package org.authservice.mail;

import java.util.List;
import java.util.Optional;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;

/** {@code /mail/events}: the webhook of a mail provider. Not there without a key to check by. */
public final class MailEventRoutes {
  private static final String SIGNATURE = "Mail-Signature";
  private static final int MAX_TYPE = 64;
  // RFC 5321, section 4.5.3.1.
  private static final int MAX_ADDRESS = 320;

  private final Optional<MailEvents> events;

  /** The webhook; without events it is not there. */
  public MailEventRoutes(Optional<MailEvents> events) {
    this.events = events;
  }

  /** The endpoint. */
  public List<Route> routes() {
    return List.of(Route.open("POST", "/mail/events", this::take));
  }

  private Answer take(Request request) {
    return events
        .map(it -> take(it, request))
        .orElseGet(() -> Problem.of(ErrorCode.NOT_FOUND).answer());
  }

  /**
   * The signature comes first: nothing is told to strangers, not even what is wrong with a body.
   */
  private static Answer take(MailEvents events, Request request) {
    Optional<EventSignature> signature =
        events.signature(request.header(SIGNATURE), request.body());
    if (signature.isEmpty()) {
      return Problem.of(ErrorCode.SIGNATURE_INVALID).answer();
    }
    var fields = request.fields();
    MailEvents.Kind kind = MailEvents.Kind.of(fields.text("type", MAX_TYPE));
    String address = fields.text("address", MAX_ADDRESS);
    if (!address.isEmpty() && address.indexOf('@') < 1) {
      fields.reject("address", "invalid", "This is no e-mail address.");
    }
    fields.verify();
    return events.apply(signature.get(), kind, address)
        ? Answer.empty(204)
        : Problem.of(ErrorCode.SIGNATURE_INVALID).answer();
  }
}
