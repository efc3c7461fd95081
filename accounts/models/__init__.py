"""Who uses the portal, and what was done, as rows of the database."""

from accounts.models.assisted_move import AssistedMove
from accounts.models.audit_entry import AuditEntry
from accounts.models.data_export import DataExport
from accounts.models.employee import Employee, EmployeeVersion
from accounts.models.first_sign_in import FirstSignIn
from accounts.models.number_move import NumberMove
from accounts.models.objection import Objection
from accounts.models.people import PolicyConsent, Profile, Sex, User, UserManager
from accounts.models.recovery_code import RecoveryCode
from accounts.models.session import Session
from accounts.models.sms_code import ContactCode, OneTimeCode, SmsCode
from accounts.models.staff_link import StaffLink

__all__ = [
    "AssistedMove",
    "AuditEntry",
    "ContactCode",
    "DataExport",
    "Employee",
    "EmployeeVersion",
    "FirstSignIn",
    "NumberMove",
    "Objection",
    "OneTimeCode",
    "PolicyConsent",
    "Profile",
    "RecoveryCode",
    "Session",
    "Sex",
    "SmsCode",
    "StaffLink",
    "User",
    "UserManager",
]
