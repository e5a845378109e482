package org.authservice.http;

import java.util.List;

/** The request's shape is wrong; carries every problem found, not only the first. */
public final class InvalidRequest extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Problem problem;

  /** Answers with that problem. */
  public InvalidRequest(Problem problem) {
    super(problem.detail(), null, false, false);
    this.problem = problem;
  }

  /** Answers 422 with these field errors. */
  public InvalidRequest(ErrorCode code, List<Problem.FieldError> errors) {
    this(Problem.invalid(code, errors));
  }

  /** The answer. */
  public Problem problem() {
    return problem;
  }
}
