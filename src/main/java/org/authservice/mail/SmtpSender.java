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
import java.time.Duration;
import java.util.Date;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.mail.Transport.Envelope;
import org.authservice.mail.Transport.Outcome;
import org.authservice.settings.MailSettings;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPSenderFailedException;
import org.jspecify.annotations.Nullable;

/** Speaks SMTP (RFC 5321), over connections that are used again while there is mail. */
final class SmtpSender {
  /** The server's reply code and its enhanced status code (RFC 3463). */
  private static final Pattern ENHANCED =
      Pattern.compile("(?<![0-9])([45][0-9]{2})[ -]([45]\\.[0-9]{1,3}\\.[0-9]{1,3})");

  private static final String NO_SUCH_MAILBOX = "5.1.1";
  private static final int SERVICE_CLOSING = 421;
  private static final Duration LONGEST = Duration.ofSeconds(30);

  private final MailSettings.Smtp server;
  private final String from;
  private final Clock clock;
  private final Deque<SmtpConnection> idle = new ConcurrentLinkedDeque<>();

  SmtpSender(MailSettings.Smtp server, String from, Clock clock) {
    this.server = server;
    this.from = from;
    this.clock = clock;
  }

  Outcome send(Envelope envelope, Letter letter, BooleanSupplier wanted) {
    InternetAddress to;
    try {
      to = new InternetAddress(envelope.recipient(), true);
    } catch (AddressException unusable) {
      return new Outcome.Refused("the address is not usable", false);
    }
    SmtpConnection.Deadline deadline = deadline(envelope);
    SmtpConnection connection;
    try {
      connection = connection(deadline);
    } catch (MessagingException failure) {
      String reason = "the server is not reached: " + name(failure);
      // Given little time, a connection that fails says little of the server.
      return left(envelope).compareTo(LONGEST) < 0
          ? new Outcome.Failed(reason)
          : new Outcome.Unreachable(reason);
    }
    try {
      if (!wanted.getAsBoolean()) {
        idle.push(connection);
        return new Outcome.Withdrawn();
      }
      connection.send(message(connection, envelope, to, letter), to, deadline);
      idle.push(connection);
      return new Outcome.Sent();
    } catch (MessagingException failure) {
      connection.close();
      return outcome(failure);
    } catch (RuntimeException notKnown) {
      connection.close();
      throw notKnown;
    }
  }

  /** Closes the connections that nobody uses. */
  void closeIdle() {
    for (SmtpConnection open = idle.poll(); open != null; open = idle.poll()) {
      open.close();
    }
  }

  /** Not after the mail's expiry: a server that takes its time must not get it too late. */
  private SmtpConnection.Deadline deadline(Envelope envelope) {
    Duration left = left(envelope);
    return SmtpConnection.Deadline.in(left.compareTo(LONGEST) < 0 ? left : LONGEST);
  }

  private Duration left(Envelope envelope) {
    return Duration.between(clock.instant(), envelope.expiresAt());
  }

  private SmtpConnection connection(SmtpConnection.Deadline deadline) throws MessagingException {
    for (SmtpConnection open = idle.poll(); open != null; open = idle.poll()) {
      if (open.alive()) {
        return open;
      }
      open.close();
    }
    return SmtpConnection.open(server, deadline);
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
