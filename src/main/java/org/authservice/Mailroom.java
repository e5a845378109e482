package org.authservice;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.authservice.audit.SecurityEvents;
import org.authservice.http.Route;
import org.authservice.mail.DevMailRoutes;
import org.authservice.mail.DevMailbox;
import org.authservice.mail.MailEventRoutes;
import org.authservice.mail.NoTransport;
import org.authservice.mail.Outbox;
import org.authservice.mail.SmtpTransport;
import org.authservice.mail.Templates;
import org.authservice.mail.Transport;
import org.authservice.secret.Secret;
import org.authservice.settings.SecretFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where mails go: by SMTP, to the development mailbox, or nowhere. */
final class Mailroom {
  private static final Logger log = LoggerFactory.getLogger(Mailroom.class);
  private static final String DEV_KEY_FILE = ".auth-dev-key";

  private final Foundation base;
  private final Outbox outbox;
  private final List<Route> routes = new ArrayList<>();
  private Optional<URI> devMailUrl = Optional.empty();

  Mailroom(Foundation base, SecurityEvents events) {
    this.base = base;
    this.outbox =
        new Outbox(
            base.database(),
            transport(),
            new Templates(
                base.settings().mail().look(),
                base.publicBaseUrl().getHost(),
                base.settings().codes().life().toMinutes()),
            base.settings().mail(),
            base.keyring(),
            base.clock(),
            base.secrets(),
            events,
            base.meters());
    routes.addAll(new MailEventRoutes(outbox.events()).routes());
  }

  Outbox outbox() {
    return outbox;
  }

  List<Route> routes() {
    return routes;
  }

  /** Where the development mailbox is read, with its key; empty when there is none. */
  Optional<URI> devMailUrl() {
    return devMailUrl;
  }

  private Transport transport() {
    var mail = base.settings().mail();
    if (mail.smtp().isPresent()) {
      return new SmtpTransport(mail.smtp().get(), mail.from(), base.clock(), base.tracing());
    }
    if (base.settings().production()) {
      log.warn("SMTP_HOST is not set: no mail leaves, and codes are refused");
      return new NoTransport();
    }
    var mailbox = new DevMailbox(System.out, base.clock());
    boolean reachable =
        isLoopback(base.settings().listener().host()) && isLoopback(base.publicBaseUrl().getHost());
    base.folder().filter(_ -> reachable).ifPresent(folder -> open(mailbox, folder));
    return mailbox;
  }

  private void open(DevMailbox mailbox, Path folder) {
    Secret key =
        SecretFile.open(folder.resolve(DEV_KEY_FILE), () -> Secret.of(base.secrets().id()));
    routes.addAll(new DevMailRoutes(mailbox, key).routes());
    devMailUrl = Optional.of(base.publicBaseUrl().resolve("/dev/mail?key=" + key.reveal()));
  }

  private static boolean isLoopback(String host) {
    return host.equals("localhost")
        || host.startsWith("127.")
        || host.equals("::1")
        || host.equals("[::1]");
  }
}
