package org.authservice.mail;

import jakarta.mail.Address;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeBodyPart;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Date;
import java.util.Properties;
import org.authservice.secret.Secret;
import org.authservice.settings.MailSettings;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.jspecify.annotations.Nullable;

/** Sends by SMTP (RFC 5321), one connection for all that is due. Used by one worker only. */
public final class SmtpTransport implements Transport {
  private static final String TIMEOUT_MILLIS = "10000";

  private final MailSettings.Smtp server;
  private final String from;
  private final Clock clock;
  private @Nullable Session session;
  private jakarta.mail.@Nullable Transport connection;

  /** Sends through that server. */
  public SmtpTransport(MailSettings.Smtp server, String from, Clock clock) {
    this.server = server;
    this.from = from;
    this.clock = clock;
  }

  @Override
  public boolean available() {
    return true;
  }

  @Override
  public Outcome send(String id, String recipient, Letter letter) {
    try {
      var to = new InternetAddress(recipient, true);
      MimeMessage message = message(id, to, letter);
      connection().sendMessage(message, new Address[] {to});
      return new Outcome.Sent();
    } catch (AddressException unusable) {
      return new Outcome.Refused("the address is not usable");
    } catch (MessagingException failure) {
      idle();
      return outcome(failure);
    }
  }

  @Override
  public void idle() {
    jakarta.mail.Transport open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (MessagingException closedAlready) {
        connection = null;
      }
    }
  }

  private MimeMessage message(String id, InternetAddress to, Letter letter)
      throws MessagingException {
    var sender = new InternetAddress(from);
    String domain = sender.getAddress().substring(sender.getAddress().indexOf('@') + 1);
    var message =
        new MimeMessage(session()) {
          @Override
          protected void updateMessageID() throws MessagingException {
            // A mail sent twice by mischance is recognised by the same id.
            setHeader("Message-ID", "<" + id + "@" + domain + ">");
          }
        };
    message.setFrom(sender);
    message.setRecipient(MimeMessage.RecipientType.TO, to);
    message.setSubject(letter.subject(), StandardCharsets.UTF_8.name());
    message.setSentDate(Date.from(clock.instant()));
    message.setHeader("Auto-Submitted", "auto-generated");
    var text = new MimeBodyPart();
    text.setText(letter.text(), StandardCharsets.UTF_8.name());
    var html = new MimeBodyPart();
    html.setText(letter.html(), StandardCharsets.UTF_8.name(), "html");
    message.setContent(new MimeMultipart("alternative", text, html));
    message.saveChanges();
    return message;
  }

  private jakarta.mail.Transport connection() throws MessagingException {
    jakarta.mail.Transport open = connection;
    if (open == null || !open.isConnected()) {
      open = session().getTransport();
      open.connect(
          server.host(),
          server.port(),
          server.username().orElse(null),
          server.password().map(Secret::reveal).orElse(null));
      connection = open;
    }
    return open;
  }

  private Session session() {
    Session known = session;
    if (known == null) {
      String protocol = server.tls() == MailSettings.Tls.TLS ? "smtps" : "smtp";
      String prefix = "mail." + protocol + ".";
      var properties = new Properties();
      properties.setProperty("mail.transport.protocol", protocol);
      properties.setProperty(prefix + "connectiontimeout", TIMEOUT_MILLIS);
      properties.setProperty(prefix + "timeout", TIMEOUT_MILLIS);
      properties.setProperty(prefix + "writetimeout", TIMEOUT_MILLIS);
      properties.setProperty(prefix + "auth", Boolean.toString(server.username().isPresent()));
      properties.setProperty(prefix + "ssl.checkserveridentity", "true");
      boolean starttls = server.tls() == MailSettings.Tls.STARTTLS;
      properties.setProperty(prefix + "starttls.enable", Boolean.toString(starttls));
      properties.setProperty(prefix + "starttls.required", Boolean.toString(starttls));
      properties.setProperty(prefix + "quitwait", "false");
      known = Session.getInstance(properties);
      session = known;
    }
    return known;
  }

  /** A reply of the 500s is final (RFC 5321, section 4.2.1). */
  private static Outcome outcome(MessagingException failure) {
    for (Throwable cause = failure; cause != null; cause = next(cause)) {
      int code =
          switch (cause) {
            case SMTPAddressFailedException address -> address.getReturnCode();
            case SMTPSendFailedException send -> send.getReturnCode();
            default -> 0;
          };
      if (code >= 500) {
        return new Outcome.Refused("the server refused it with " + code);
      }
      if (code >= 400) {
        return new Outcome.Failed("the server put it off with " + code);
      }
    }
    return new Outcome.Failed(
        failure instanceof SendFailedException
            ? "the server did not take it"
            : failure.getClass().getSimpleName());
  }

  private static @Nullable Throwable next(Throwable cause) {
    return cause instanceof MessagingException chained ? chained.getNextException() : null;
  }
}
