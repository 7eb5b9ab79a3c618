"""An IAM role with its one inline policy: what the formatter's function may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.arns import name_in, service_of, shortened
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import Part
from shnotify.engine.values import Policy, Tags
from shnotify.frozen import frozen
from shnotify.tags import OUR_TAGS

POLICY_NAME = "shnotify"
_NOT_YET_VISIBLE = "IAM does not know the new role everywhere yet"


def role_name(function: str, region: str) -> str:
    """Names the role of a function.

    IAM knows no Region, but a notifier has one: two must not share a role.
    """
    return shortened(f"{function}-{region}")


@frozen(kw_only=True)
class Role(Resource):
    """An IAM role. `policies` is our one inline policy; other policies are left alone."""

    CFN: ClassVar[str] = "AWS::IAM::Role"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls(
            "iam", "GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies"
        )
        | calls("iam", "GetPolicy", "GetPolicyVersion"),
        create=calls("iam", "CreateRole", "PutRolePolicy"),
        update=calls("iam", "PutRolePolicy", "UpdateAssumeRolePolicy", "UpdateRole", "TagRole"),
        release=calls("iam", "DeleteRolePolicy", "UntagRole"),
        delete=calls(
            "iam",
            "ListAttachedRolePolicies",
            "DetachRolePolicy",
            "ListRolePolicies",
            "DeleteRolePolicy",
        )
        | calls("iam", "DeleteRole"),
        besides=frozenset({("create", "iam:TagRole")}),
    )

    role_name: str = identity()
    role_arn: str = identity()
    description: str
    assume_role_policy_document: Policy
    policies: Policy
    tags: Tags

    @property
    def name(self) -> str:
        return self.role_name

    def purpose(self) -> str:
        return "what the formatter may do" if "Formatter" in self.id else "what a service may do"

    @property
    def arn(self) -> str:
        return self.role_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "iam" or ":role/" not in arn:
            return None
        return cls.unmanaged(id="Role", role_name=name_in(arn), role_arn=arn, tags=tags)

    def kept_for(self, lives: Iterable[Live[Resource]]) -> str | None:
        """Says that a function that stays runs as it."""
        lives = list(lives)
        users = (one.state for one in lives if getattr(one.state, "role", None) == self.role_arn)
        return next((why for user in users if (why := user.kept_for(lives))), None)

    def cfn(self) -> tuple[Part, ...]:
        inline = [{"PolicyName": POLICY_NAME, "PolicyDocument": self.policies}]
        return (Part(self.id, self.CFN, {**self.properties(), "Policies": inline}),)

    def identify(self, aws: Aws) -> Live[Self] | None:
        reply = aws.maybe(aws.iam.get_role, RoleName=self.role_name)
        return None if reply is None else self._live(reply["Role"], self)

    def read(self, aws: Aws) -> Live[Self] | None:
        inline = aws.start(
            aws.maybe, aws.iam.get_role_policy, RoleName=self.role_name, PolicyName=POLICY_NAME
        )
        others = [
            aws.start(_other_inline, aws, self.role_name),
            aws.start(_attached, aws, self.role_name),
        ]
        reply = aws.maybe(aws.iam.get_role, RoleName=self.role_name)
        policy = inline.result()
        if reply is None:
            return None
        role = reply["Role"]
        state = replace(
            self,
            description=role.get("Description", ""),
            assume_role_policy_document=_policy(role.get("AssumeRolePolicyDocument")),
            policies=_policy(policy["PolicyDocument"] if policy else None),
        )
        facts = {
            "others": [document for found in others for document in found.result()],
            "boundary": _boundary(aws, role),
        }
        return replace(self._live(role, state), facts=facts)

    def links(self) -> tuple[str, ...]:
        return ("formatter",)

    def _live(self, role: Mapping[str, object], state: Self) -> Live[Self]:
        tags = Tags.from_list(role.get("Tags") or [])  # type: ignore[arg-type]
        owner = owner_of(tags, self.tags)
        return Live(replace(state, tags=tags), {"Arn": str(role["Arn"])}, owner)

    def create(self, aws: Aws) -> Mapping[str, str]:
        try:
            aws(
                aws.iam.create_role,
                RoleName=self.role_name,
                Description=self.description,
                AssumeRolePolicyDocument=self.assume_role_policy_document.to_text(),
                Tags=self.tags.to_list(),
            )
        except AwsError as error:
            if error.code == "EntityAlreadyExists":
                raise AlreadyThereError(
                    error.message, operation=error.operation, code=error.code
                ) from error
            raise
        self._put_policy(aws)
        return self.outputs()

    def _put_policy(self, aws: Aws) -> None:
        put = aws.patient({"NoSuchEntity": _NOT_YET_VISIBLE})
        put(
            aws.iam.put_role_policy,
            RoleName=self.role_name,
            PolicyName=POLICY_NAME,
            PolicyDocument=self.policies.to_text(),
        )

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        if "Policies" in changes:
            self._put_policy(aws)
        if "AssumeRolePolicyDocument" in changes:
            trust = self.assume_role_policy_document.to_text()
            aws(aws.iam.update_assume_role_policy, RoleName=self.role_name, PolicyDocument=trust)
        if "Description" in changes:
            aws(aws.iam.update_role, RoleName=self.role_name, Description=self.description)
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_list()
            aws(aws.iam.tag_role, RoleName=self.role_name, Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        aws.maybe(aws.iam.delete_role_policy, RoleName=self.role_name, PolicyName=POLICY_NAME)
        aws(aws.iam.untag_role, RoleName=self.role_name, TagKeys=list(OUR_TAGS))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        """Deletes the role after its policies, for a role goes only without any (API_DeleteRole).

        Attached ones are detached and stay in the account.
        """
        attached = aws.maybe(aws.iam.list_attached_role_policies, RoleName=self.role_name)
        inline = aws.maybe(aws.iam.list_role_policies, RoleName=self.role_name)
        for policy in attached["AttachedPolicies"] if attached else ():  # 25 at the most: one page
            aws.maybe(
                aws.iam.detach_role_policy, RoleName=self.role_name, PolicyArn=policy["PolicyArn"]
            )
        for name in inline["PolicyNames"] if inline else ():
            aws.maybe(aws.iam.delete_role_policy, RoleName=self.role_name, PolicyName=name)
        aws.maybe(aws.iam.delete_role, RoleName=self.role_name)


def _other_inline(aws: Aws, role: str) -> list[object]:
    """Reads the role's inline policies other than ours."""
    names = _pages(aws, aws.iam.list_role_policies, "PolicyNames", RoleName=role)
    asked = [
        aws.start(aws.maybe, aws.iam.get_role_policy, RoleName=role, PolicyName=name)
        for name in names
        if name != POLICY_NAME
    ]
    replies = [future.result() for future in asked]
    return [reply["PolicyDocument"] for reply in replies if reply]


def _attached(aws: Aws, role: str) -> list[object]:
    """Reads the managed policies that are attached to the role."""
    found = _pages(aws, aws.iam.list_attached_role_policies, "AttachedPolicies", RoleName=role)
    return [_managed(aws, policy["PolicyArn"]) for policy in found]


def _boundary(aws: Aws, role: Mapping[str, Any]) -> object:
    """Reads the role's permissions boundary, or returns None."""
    arn = (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return _managed(aws, arn) if arn else None


def _managed(aws: Aws, arn: str) -> object:
    """Reads the default version of a managed policy (API_GetPolicyVersion)."""
    version = aws(aws.iam.get_policy, PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return aws(aws.iam.get_policy_version, PolicyArn=arn, VersionId=version)["PolicyVersion"][
        "Document"
    ]


def _pages(aws: Aws, method: Any, name: str, **params: str) -> list[Any]:
    """Lists all items of an IAM list; none when the role is not there.

    IAM pages by Marker and IsTruncated.
    """
    items: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = aws.maybe(method, **params, **more)
        if page is None:
            return []
        items += page[name]
        if not page.get("IsTruncated"):
            return items
        more = {"Marker": page["Marker"]}


def _policy(document: object) -> Policy:
    """Wraps a document that the SDK has decoded from IAM's URL encoding."""
    return Policy(document) if isinstance(document, dict) else Policy({})
