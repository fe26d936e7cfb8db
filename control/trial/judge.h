/* How sallyportd has a policy tried: sallyport-policy judge NAME..., with these descriptors; status 0 is yes. */
#ifndef TRIAL_JUDGE_H
#define TRIAL_JUDGE_H

#define JUDGE_PROGRAM "sallyport-policy"
#define JUDGE_VERB "judge"

enum judge_fd {
	JUDGE_FD_REPORT = 1,           /* a sealed memfd of JUDGE_REPORT_BYTES: what failed, line by line, then NULs */
	JUDGE_FD_CONF = 3,             /* conf_seal() */
	JUDGE_FD_CASES = 4,            /* and the following, as many as there are names */
};

enum judge_limits { JUDGE_REPORT_BYTES = 64 << 10 };

#endif
