package org.authservice.mail;

import jakarta.mail.MessagingException;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeBodyPart;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import java.io.UnsupportedEncodingException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Date;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.settings.MailSettings;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPSenderFailedException;
import org.jspecify.annotations.Nullable;

/** Sends by SMTP (RFC 5321), over connections that are used again while there is mail. */
public final class SmtpTransport implements Transport {
  /** The server's reply code and its enhanced status code (RFC 3463). */
  private static final Pattern ENHANCED =
      Pattern.compile("(?<![0-9])([45][0-9]{2})[ -]([45]\\.[0-9]{1,3}\\.[0-9]{1,3})");

  private static final String NO_SUCH_MAILBOX = "5.1.1";
  private static final int SERVICE_CLOSING = 421;

  private final MailSettings.Smtp server;
  private final String from;
  private final Clock clock;
  private final Deque<SmtpConnection> idle = new ConcurrentLinkedDeque<>();

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
  public Outcome send(Envelope envelope, Letter letter) {
    InternetAddress to;
    try {
      to = new InternetAddress(envelope.recipient(), true);
    } catch (AddressException unusable) {
      return new Outcome.Refused("the address is not usable", false);
    }
    SmtpConnection connection;
    try {
      connection = connection();
    } catch (MessagingException failure) {
      return new Outcome.Unreachable("the server is not reached: " + name(failure));
    }
    try {
      connection.send(message(connection, envelope, to, letter), to);
      idle.push(connection);
      return new Outcome.Sent();
    } catch (MessagingException failure) {
      connection.close();
      return outcome(failure);
    }
  }

  @Override
  public void idle() {
    for (SmtpConnection open = idle.poll(); open != null; open = idle.poll()) {
      open.close();
    }
  }

  private SmtpConnection connection() throws MessagingException {
    for (SmtpConnection open = idle.poll(); open != null; open = idle.poll()) {
      if (open.alive()) {
        return open;
      }
      open.close();
    }
    return SmtpConnection.open(server);
  }

  private MimeMessage message(
      SmtpConnection connection, Envelope envelope, InternetAddress to, Letter letter)
      throws MessagingException {
    InternetAddress sender = sender();
    String domain = sender.getAddress().substring(sender.getAddress().indexOf('@') + 1);
    var message =
        new MimeMessage(connection.session()) {
          @Override
          protected void updateMessageID() throws MessagingException {
            // A mail sent twice by mischance is recognised by the same id.
            setHeader("Message-ID", "<" + envelope.id() + "@" + domain + ">");
          }
        };
    message.setFrom(sender);
    message.setRecipient(MimeMessage.RecipientType.TO, to);
    message.setSubject(letter.subject(), StandardCharsets.UTF_8.name());
    message.setSentDate(Date.from(clock.instant()));
    message.setHeader("References", "<" + envelope.thread() + "@" + domain + ">");
    message.setHeader("Auto-Submitted", "auto-generated");
    message.setHeader("Content-Language", letter.language());
    var text = new MimeBodyPart();
    text.setText(letter.text(), StandardCharsets.UTF_8.name());
    var html = new MimeBodyPart();
    html.setText(letter.html(), StandardCharsets.UTF_8.name(), "html");
    message.setContent(new MimeMultipart("alternative", text, html));
    message.saveChanges();
    return message;
  }

  private InternetAddress sender() throws MessagingException {
    var sender = new InternetAddress(from);
    if (sender.getPersonal() != null) {
      try {
        sender.setPersonal(sender.getPersonal(), StandardCharsets.UTF_8.name());
      } catch (UnsupportedEncodingException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
    return sender;
  }

  /** A reply of the 500s is final, one of the 400s is not (RFC 5321, section 4.2.1). */
  private static Outcome outcome(MessagingException failure) {
    for (Throwable cause = failure; cause != null; cause = next(cause)) {
      int code =
          switch (cause) {
            case SMTPAddressFailedException address -> address.getReturnCode();
            case SMTPSenderFailedException sender -> sender.getReturnCode();
            case SMTPSendFailedException send -> send.getReturnCode();
            default -> 0;
          };
      if (code == SERVICE_CLOSING) {
        return new Outcome.Unreachable("the server put it off with 421");
      }
      if (code >= 400) {
        String told = told(code, cause);
        return code >= 500
            ? new Outcome.Refused(
                "the server refused it with " + told, told.endsWith(" " + NO_SUCH_MAILBOX))
            : new Outcome.Failed("the server put it off with " + told);
      }
    }
    return new Outcome.Failed("the connection broke: " + name(failure));
  }

  /** Code and enhanced code; the server's words may hold the address. */
  private static String told(int code, Throwable cause) {
    Matcher enhanced = ENHANCED.matcher(String.valueOf(cause.getMessage()));
    return enhanced.find() && enhanced.group(1).equals(Integer.toString(code))
        ? code + " " + enhanced.group(2)
        : Integer.toString(code);
  }

  private static String name(MessagingException failure) {
    Throwable cause = failure.getNextException();
    return (cause == null ? failure : cause).getClass().getSimpleName();
  }

  private static @Nullable Throwable next(Throwable cause) {
    return cause instanceof MessagingException chained ? chained.getNextException() : null;
  }
}
