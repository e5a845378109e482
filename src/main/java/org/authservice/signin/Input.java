package org.authservice.signin;

import java.util.List;
import java.util.Optional;
import org.authservice.account.EmailAddress;
import org.authservice.http.ErrorCode;
import org.authservice.http.Fields;
import org.authservice.http.InvalidRequest;
import org.authservice.http.Problem;
import org.authservice.otp.Purpose;
import org.authservice.secret.Secret;

/** Members that several sign-in endpoints take, read the same way everywhere. */
final class Input {
  /** Far above the 128 code points of the policy: longer ones are refused with its reason. */
  private static final int MAX_PASSWORD_LENGTH = 1024;

  private Input() {}

  static EmailAddress email(Fields fields) {
    String text = fields.text("email", EmailAddress.MAX_LENGTH);
    Optional<EmailAddress> email = EmailAddress.parse(text);
    if (email.isEmpty()) {
      fields.reject("email", "invalid", "This is not an e-mail address such as ada@example.com.");
    }
    return email.orElse(new EmailAddress("", ""));
  }

  static Secret password(Fields fields, String name) {
    return Secret.of(fields.text(name, MAX_PASSWORD_LENGTH));
  }

  static Purpose purpose(Fields fields) {
    return fields.choice("purpose", Purpose::of, Purpose.LOGIN);
  }

  static Secret digits(Fields fields) {
    String text = fields.text("otp_code", 64);
    if (!text.matches("[0-9]{6}")) {
      fields.reject("otp_code", "invalid", "A code is six digits.");
    }
    return Secret.of(text);
  }

  static Optional<String> otpId(Fields fields) {
    return fields.optionalText("otp_id", 64);
  }

  /** The answer to a password that the policy refuses. */
  static InvalidRequest rejected(String field, String reason) {
    return new InvalidRequest(
        ErrorCode.PASSWORD_REJECTED, List.of(new Problem.FieldError(field, "rejected", reason)));
  }
}
