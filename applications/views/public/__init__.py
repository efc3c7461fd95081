"""The pages that everybody sees: bulletin, vacancies, queues, the register of referrals."""
