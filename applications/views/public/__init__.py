"""The pages that everybody can see: bulletin, vacancies, queues, the register of referrals."""
